"""What people may say of an answer, so that it can be compared with what a judge says."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from trimtab.errors import UsageError
from trimtab.types.experiments import MetricKind

__all__ = ["Choice", "Scale", "scale_of"]


class Choice(NamedTuple):
    """One thing that can be said.

    Attributes:
        word: as people say it.
        value: as an evaluator says it.
    """

    word: str
    value: float


class Scale(NamedTuple):
    """All that can be said, from the lowest value to the highest.

    Attributes:
        choices: what there is.
        positive_from: index of the first one that counts as positive for sensitivity and
            specificity; None where neither makes sense.
        linear: disagreements count by their distance.
        compares: two answers are shown, and the choices are about them.
    """

    choices: tuple[Choice, ...]
    positive_from: int | None
    linear: bool = False
    compares: bool = False

    def category(self, value: float) -> int:
        """The category of a value: the nearest one, the lower one of two."""
        distances = [abs(choice.value - value) for choice in self.choices]
        return distances.index(min(distances))

    def categories(self, values: Sequence[float]) -> tuple[int, ...]:
        """How many of the values are in each category."""
        found = [self.category(value) for value in values]
        return tuple(found.count(index) for index in range(len(self.choices)))


_PASS_FAIL: Final = Scale((Choice("fail", 0.0), Choice("pass", 1.0)), 1)
_NO_YES: Final = Scale((Choice("no", 0.0), Choice("yes", 1.0)), 1)
_FIVE: Final = Scale(tuple(Choice(str(n + 1), n / 4) for n in range(5)), 3, linear=True)
_BETTER: Final = Scale(
    (Choice("second", -1.0), Choice("tie", 0.0), Choice("first", 1.0)),
    None,
    linear=True,
    compares=True,
)


def scale_of(kind: MetricKind, *, higher_is_better: bool) -> Scale:
    """The scale for values of a kind. A rate of something bad is asked for with yes and no.

    Raises:
        UsageError: people cannot label values of this kind.
    """
    if kind == "rate":
        return _PASS_FAIL if higher_is_better else _NO_YES
    if kind == "score":
        return _FIVE
    if kind == "preference":
        return _BETTER
    raise UsageError("Amounts are measured and not judged: there is nothing to label.")
