"""Results of experiments that are over, from the store."""

from typing import Final

import msgspec

from trimtab.errors import UsageError
from trimtab.evals.result import Result
from trimtab.store.protocol import Experiments

__all__ = ["kept_result"]

_LAST: Final = "last"
_MOST_SHOWN: Final = 80


def kept_result(store: Experiments, experiment_id: str) -> Result:
    """The result of an experiment; of the newest one that ended, by the id `last`.

    Raises:
        UsageError: there is none of that id, it did not end, or another version wrote it.
    """
    wanted = experiment_id
    if wanted == _LAST:
        ended = (one.id for one in store.experiments(_MOST_SHOWN) if one.ended_ns)
        wanted = next(ended, "")
    found = store.experiment(wanted)
    shown = experiment_id[:_MOST_SHOWN]
    if found is None:
        newest = ", ".join(one.id for one in store.experiments(3))
        known = f" The newest are {newest}." if newest else " Make one with `trimtab eval run`."
        raise UsageError(f"There is no experiment {shown!r}.{known}")
    if not found.summary:
        raise UsageError(
            f"Experiment {shown!r} did not end. Run it again: answers that are kept cost nothing."
        )
    try:
        return msgspec.json.decode(found.summary, type=Result)
    except msgspec.MsgspecError:
        raise UsageError(
            f"The result of {shown!r} was written by another version of trimtab. Run it again: "
            "answers that are kept cost nothing."
        ) from None
