"""When a delivery is tried again. Pure."""

from typing import Final, NamedTuple

__all__ = ["SCHEDULE", "Schedule"]

_MOST_DOUBLINGS: Final = 32


class Schedule(NamedTuple):
    """How patient deliveries are. All in seconds.

    Attributes:
        first_s: wait after the first try; doubled after each further one.
        most_s: the longest wait.
        within_s: after so long no further try is made.
    """

    first_s: float = 1.0
    most_s: float = 3_600.0
    within_s: float = 86_400.0

    def wait_s(self, tries: int, share: float, retry_after_s: float | None = None) -> float:
        """Seconds until the next try, after `tries` of them.

        Args:
            tries: how many were made; at least 1.
            share: 0 to 1, by chance, so that many who failed together do not come back together:
                the wait is between half and all of its length.
            retry_after_s: what the receiver asked for; never less than that.
        """
        doubled_s = self.first_s * 2 ** min(tries - 1, _MOST_DOUBLINGS)
        wait_s = min(doubled_s, self.most_s) * (0.5 + share / 2)
        return max(wait_s, retry_after_s or 0.0)


SCHEDULE: Final = Schedule()
