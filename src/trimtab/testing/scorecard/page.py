"""The scorecard as the table of docs/faults.md."""

from collections.abc import Sequence

from trimtab.testing.scorecard.row import RowResult

__all__ = ["page_table", "rounded_time"]

_SHORT_S = 1.9
_HEAD = """\
| row | the fault | what trimtab does | result | longest wait |
|---|---|---|---|---|
"""


def page_table(results: Sequence[RowResult]) -> str:
    """One line for each row, in Markdown."""
    return _HEAD + "".join(_line(result) for result in results)


def rounded_time(seconds: float) -> str:
    """A time that two runs agree on: what is short is called that, the rest in seconds."""
    return f"{seconds:.0f} s" if seconds > _SHORT_S else f"under {_SHORT_S:.0f} s"


def _line(result: RowResult) -> str:
    cells = (
        result.row_id,
        result.fault,
        result.does,
        result.verdict,
        rounded_time(result.longest_s),
    )
    return f"| {' | '.join(cells)} |\n"
