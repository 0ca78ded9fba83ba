"""One for one: whether things that are wanted can each have a different one that is there."""

from collections.abc import Sequence

__all__ = ["pair_all"]


def pair_all(fits: Sequence[Sequence[bool]]) -> bool:
    """Whether every row can have a column of its own that fits it (Kuhn's algorithm).

    Args:
        fits: by row and column. Takes rows^2 x columns steps at most.
    """
    pairing = _Pairing(fits)
    return all(pairing.place(row, set()) for row in range(len(fits)))


class _Pairing:
    def __init__(self, fits: Sequence[Sequence[bool]]) -> None:
        self._fits = fits
        self._row_at: dict[int, int] = {}  # by column

    def place(self, row: int, tried: set[int]) -> bool:
        """Give a row a column, where need be by moving those that have one."""
        for column, does_fit in enumerate(self._fits[row]):
            if not does_fit or column in tried:
                continue
            tried.add(column)
            holder = self._row_at.get(column)
            if holder is None or self.place(holder, tried):
                self._row_at[column] = row
                return True
        return False
