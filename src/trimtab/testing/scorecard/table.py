"""All rows, in their order."""

from collections.abc import Sequence

from trimtab.errors import UsageError
from trimtab.testing.scorecard.broken import BROKEN
from trimtab.testing.scorecard.clockwise import CLOCKWISE
from trimtab.testing.scorecard.large import LARGE
from trimtab.testing.scorecard.leaving import LEAVING
from trimtab.testing.scorecard.ledgerless import LEDGERLESS
from trimtab.testing.scorecard.own import OWN_END
from trimtab.testing.scorecard.refused import REFUSED
from trimtab.testing.scorecard.row import Row
from trimtab.testing.scorecard.silent import SILENT
from trimtab.testing.scorecard.unreachable import UNREACHABLE

__all__ = ["ROWS", "rows_named"]

ROWS: tuple[Row, ...] = tuple(
    sorted(
        (
            *REFUSED,
            *SILENT,
            *BROKEN,
            *LARGE,
            *UNREACHABLE,
            *LEAVING,
            *OWN_END,
            *LEDGERLESS,
            *CLOCKWISE,
        ),
        key=lambda row: row.row_id,
    )
)


def rows_named(names: Sequence[str]) -> tuple[Row, ...]:
    """The rows with these ids, in the order of the table; all of them for no ids.

    Raises:
        UsageError: there is no such row.
    """
    known = {row.row_id for row in ROWS}
    wanted = {name.upper() for name in names}
    if unknown := sorted(wanted - known):
        raise UsageError(
            f"There is no row {unknown[0]!r}. Rows are S01 to S16 and X01 to X12; "
            "`trimtab faults --list` shows them."
        )
    return tuple(row for row in ROWS if not wanted or row.row_id in wanted)
