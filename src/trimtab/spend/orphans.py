"""Attempts that a process left behind when it died: nobody knows what they cost.

Their hold is a lease. As long as the provider may still be at work for it, an attempt counts at all
that it might cost; afterwards at what a call of its model costs on average, which is the best that
anybody here can say. The rest comes back. Only the provider's own export tells the truth.
"""

from typing import Final, NamedTuple

from trimtab.config.money import Per
from trimtab.config.schema import Project
from trimtab.spend.subjects import subject_of_intent
from trimtab.spend.windows import Window
from trimtab.store.protocol import Reader
from trimtab.store.records import OpenIntent
from trimtab.types.clock import NS_PER_S

__all__ = ["Orphan", "find_orphans", "lease_ns_of"]

_LOOKS_BACK_NS: Final = 7 * 86_400 * NS_PER_S
_GRACE_S: Final = 30.0


class Orphan(NamedTuple):
    """One attempt without an end, whose process is dead.

    Attributes:
        subject: whose budget it spends from.
        started_ns: UTC nanoseconds at which its inference began.
        hold_nanousd: what it might have cost at most.
        likely_nanousd: what such a call costs on average; never more than the hold.
        expires_ns: UTC nanoseconds from which on it counts at that.
    """

    subject: str
    started_ns: int
    hold_nanousd: int
    likely_nanousd: int
    expires_ns: int

    def counts_at(self, now_ns: int) -> int:
        """Nano-dollars that it counts at now."""
        return self.hold_nanousd if now_ns < self.expires_ns else self.likely_nanousd


def lease_ns_of(project: Project) -> int:
    """How long a provider may work for one attempt: the longest deadline, and a little more."""
    longest_s = max((one.timeouts.total_s for one in project.targets.values()), default=0.0)
    return int((longest_s + _GRACE_S) * NS_PER_S)


def find_orphans(
    reader: Reader, per: Per, window: Window, *, lease_ns: int, now_ns: int
) -> list[Orphan]:
    """Those of inferences that began in a window.

    Args:
        reader: the records.
        per: the kind of subject.
        window: when they began.
        lease_ns: from `lease_ns_of`.
        now_ns: UTC nanoseconds.
    """
    left = [entry for entry in reader.unsettled(*window) if not entry.in_flight]
    if not left:
        return []
    usual = _usual(reader, {_model_of(entry) for entry in left}, now_ns)
    return [
        Orphan(
            subject=subject_of_intent(per, entry.intent),
            started_ns=entry.intent.started_ns,
            hold_nanousd=entry.intent.hold_nanousd,
            likely_nanousd=min(
                entry.intent.hold_nanousd,
                usual.get(_model_of(entry), entry.intent.hold_nanousd),
            ),
            expires_ns=entry.intent.started_ns + lease_ns,
        )
        for entry in left
    ]


def _usual(reader: Reader, models: set[str], now_ns: int) -> dict[str, int]:
    """What a request costs on average by model, rounded up, where any is on record."""
    since_ns = now_ns - _LOOKS_BACK_NS
    groups = reader.usage_by("model", since_ns, now_ns, values=models, measures=())
    return {
        group.value: -(-group.cost_nanousd // group.requests) for group in groups if group.requests
    }


def _model_of(entry: OpenIntent) -> str:
    return f"{entry.intent.provider}:{entry.intent.model}"
