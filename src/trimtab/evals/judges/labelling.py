"""Labelling: which row comes next, and what was said of it. Pure.

Nobody who labels can see what the judge says: what is shown does not carry it, two answers stand in
an order that depends on them alone, and verdicts come at random, in no pattern that would tell.

Rows are drawn at random within verdicts. A verdict of k gets labels in proportion to its rows, but
at least the share 1/2k: a quarter of two. Fewer say too little of rare verdicts, and many more too
little of the common one, on which kappa rests. Within a verdict setups take turns, and cases come
first that have fewest labels. One repeat of each case can be labelled: others tell little more.

What comes is the same whenever one goes on, and another row for another person.
"""

import hashlib
import json
from bisect import bisect
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import accumulate
from typing import Final

import msgspec

from trimtab.errors import UsageError
from trimtab.evals.judges.acts import Act
from trimtab.evals.judges.calibration import Pool
from trimtab.evals.judges.scale import Scale

__all__ = ["WANTED", "Item", "Labelling", "Shown"]

WANTED: Final = 100
"""Labels after which a session is done, if nothing else was asked for."""

_SWAPPED: Final = {"first": "second", "second": "first"}


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A judged row that can be labelled.

    Attributes:
        setup_hash, case_id, case_hash, repeat: the row.
        asked: what the user's side said.
        sources: that the answer may rest on.
        reference: a good answer; "" for none.
        text: the answer.
        baseline_text: what it was compared with; None without one.
        verdict: the judge's value, which is shown to nobody.
    """

    setup_hash: str
    case_id: str
    case_hash: str
    repeat: int
    asked: str
    sources: list[str] = []
    reference: str = ""
    text: str
    baseline_text: str | None = None
    verdict: float

    @property
    def key(self) -> str:
        """Of this answer to this case: another answer has another one."""
        parts = [self.setup_hash, self.case_hash, self.repeat, self.text, self.baseline_text]
        return _digest(json.dumps(parts))[:24]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a person gets to see of a row.

    Attributes:
        key: to say which row a label is of.
        case_id: of the case.
        asked, sources, reference: as in `Item`.
        answers: one, or two to be compared.
        choices: what can be said, in words.
        done: labels so far.
        wanted: labels that are asked for.
        left: rows without a label, this one included.
    """

    key: str
    case_id: str
    asked: str
    sources: list[str]
    reference: str
    answers: tuple[str, ...]
    choices: tuple[str, ...]
    done: int
    wanted: int
    left: int


class Labelling:
    """One calibration under way.

    Args:
        items: the judged rows, in any order.
        scale: what can be said.
        seed: of the order; the same for the same judge.
        by: who labels, as they call themselves.
        wanted: labels in all.
    """

    def __init__(
        self,
        items: Iterable[Item],
        scale: Scale,
        *,
        seed: str,
        by: str,
        wanted: int = WANTED,
    ) -> None:
        self._by = by
        self._scale = scale
        self._seed = seed
        self._wanted = wanted
        self._all = {item.key: item for item in items}
        self._verdicts = {key: scale.category(item.verdict) for key, item in self._all.items()}
        self._ranks = {key: _digest(f"{seed}/{by}/{key}") for key in self._all}
        self._repeats = sorted(self._all, key=lambda key: _digest(f"{seed}/repeat/{key}"))
        self._acts: list[Act] = []
        self._again = ""
        self._items = self._one_of_each_case()

    @property
    def labels(self) -> dict[str, Act]:
        """The labels that stand, by key; those of rows that are not here any more included."""
        return {act.key: act for act in self._acts if act.act == "label"}

    @property
    def skipped(self) -> int:
        """Rows that somebody could not decide, and nobody has labelled since."""
        labels = self.labels
        return len({act.key for act in self._acts if act.act == "skip"} - labels.keys())

    @property
    def population(self) -> list[Pool]:
        """How many rows there are to label, by setup and verdict."""
        counts = Counter(
            (item.setup_hash, self._verdicts[key]) for key, item in self._items.items()
        )
        return [
            Pool(setup_hash=setup, verdict=self._scale.choices[index].value, rows=rows)
            for (setup, index), rows in sorted(counts.items())
        ]

    def verdict_of(self, key: str) -> float | None:
        """What the judge says of a row that is labelled; None for every other one."""
        return self._items[key].verdict if key in self._items and key in self.labels else None

    def next(self) -> Shown | None:
        """The row to label now, the same until something is done; None when all is done."""
        passed = {act.key for act in self._acts}
        left = [key for key in self._items if key not in passed]
        labelled = [key for key in self.labels if key in self._items]
        if not left or len(labelled) >= self._wanted:
            return None
        key = self._again if self._again in left else self._first(left, labelled)
        item = self._items[key]
        return Shown(
            key=key,
            case_id=item.case_id,
            asked=item.asked,
            sources=item.sources,
            reference=item.reference,
            answers=self._answers(key, item),
            choices=tuple(choice.word for choice in self._scale.choices),
            done=len(labelled),
            wanted=self._wanted,
            left=len(left),
        )

    def ahead(self, most: int) -> list[Shown]:
        """The rows that come next, if each gets a label."""
        others = Labelling(
            self._all.values(), self._scale, seed=self._seed, by=self._by, wanted=self._wanted
        )
        others.apply(self._acts)
        found: list[Shown] = []
        while len(found) < most and (shown := others.next()) is not None:
            found.append(shown)
            others.apply([others.label(shown.key, shown.choices[0], at="")])
        return found

    def label(self, key: str, word: str, *, at: str) -> Act:
        """What labelling a row would be; `apply` does it.

        Raises:
            UsageError: there is no such row, it has a label, or the word is none of the choices.
        """
        item = self._open(key)
        words = {choice.word: choice.value for choice in self._scale.choices}
        meant = _SWAPPED.get(word, word) if self._is_swapped(key) else word
        if meant not in words:
            raise UsageError(f"{word[:40]!r} is not a label here. Say one of: {', '.join(words)}.")
        return Act(
            act="label",
            key=key,
            value=words[meant],
            by=self._by,
            at=at,
            setup_hash=item.setup_hash,
            case_id=item.case_id,
            case_hash=item.case_hash,
            repeat=item.repeat,
            text=item.text,
            baseline_text=item.baseline_text,
        )

    def skip(self, key: str, *, at: str) -> Act:
        """What passing a row by would be.

        Raises:
            UsageError: there is no such row, or it has a label.
        """
        self._open(key)
        return Act(act="skip", key=key, by=self._by, at=at)

    def undo(self, *, at: str) -> Act:
        """What taking the last act back would be; the row is then shown again.

        Raises:
            UsageError: nothing was done.
        """
        if not self._acts:
            raise UsageError("Nothing was labelled or skipped yet, so nothing can be taken back.")
        return Act(act="undo", key=self._acts[-1].key, by=self._by, at=at)

    def apply(self, acts: Iterable[Act]) -> None:
        """Do what was kept, in its order."""
        for act in acts:
            if act.act != "undo":
                self._acts.append(act)
                self._again = ""
            elif self._acts:
                self._again = self._acts.pop().key
        self._items = self._one_of_each_case()

    def _open(self, key: str) -> Item:
        item = self._items.get(key)
        if item is None:
            raise UsageError("There is no such row to label. Ask for the next one.")
        if key in self.labels:
            raise UsageError("That row has a label. Take it back first, or ask for the next one.")
        return item

    def _first(self, left: Sequence[str], labelled: Sequence[str]) -> str:
        verdict = self._draw_verdict({self._verdicts[key] for key in left})
        setups = Counter(
            self._items[key].setup_hash for key in labelled if self._verdicts[key] == verdict
        )
        cases = Counter(self._items[key].case_hash for key in labelled)

        def place(key: str) -> tuple[int, int, str]:
            item = self._items[key]
            return setups[item.setup_hash], cases[item.case_hash], self._ranks[key]

        return min((key for key in left if self._verdicts[key] == verdict), key=place)

    def _draw_verdict(self, left: Collection[int]) -> int:
        """One of the verdicts that are left, by the share of labels that each should have."""
        rows = Counter(self._verdicts[key] for key in self._items)
        least = rows.total() / (2 * len(rows))
        present = sorted(left)
        bounds = list(accumulate(max(float(rows[index]), least) for index in present))
        turn = int(_digest(f"{self._seed}/{self._by}/turn/{len(self._acts)}"), 16) / 2**256
        return present[bisect(bounds, turn * bounds[-1], hi=len(bounds) - 1)]

    def _answers(self, key: str, item: Item) -> tuple[str, ...]:
        if item.baseline_text is None:
            return (item.text,)
        pair = (item.text, item.baseline_text)
        return pair[::-1] if self._is_swapped(key) else pair

    def _is_swapped(self, key: str) -> bool:
        """Whether the baseline's answer is shown first."""
        return self._scale.compares and int(_digest(f"{self._seed}/order/{key}"), 16) % 2 == 1

    def _one_of_each_case(self) -> dict[str, Item]:
        """By key, for each setup and case the repeat that is labelled, or else one at random."""
        labelled = [key for key in self.labels if key in self._all]
        found: dict[tuple[str, str], str] = {}
        for key in (*labelled, *self._repeats):
            item = self._all[key]
            found.setdefault((item.setup_hash, item.case_hash), key)
        return {key: self._all[key] for key in found.values()}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
