"""Which model answers for a setup now: the one that answered last."""

from collections.abc import Iterable

from trimtab.store.protocol import Experiments
from trimtab.types.experiments import RowHead

__all__ = ["model_now", "side_of"]


def model_now(heads: Iterable[RowHead]) -> str | None:
    """The model of the newest answer, whichever case it is to; None where there is no answer.

    Rows of other models behind the same name are about something that is not served any more.
    """
    answers = [head for head in heads if head.ok]
    return max(answers, key=_age).served_model if answers else None


def side_of(store: Experiments, setup_hash: str) -> str:
    """A setup with its model, as the other side of a comparison; "" where there is no setup."""
    return f"{setup_hash}/{model_now(store.row_heads(setup_hash)) or ''}" if setup_hash else ""


def _age(head: RowHead) -> tuple[int, str]:
    return head.at_ns, head.served_model
