"""The fault table as rows that run: what the provider does, and what trimtab must make of it."""

from trimtab.testing.scorecard.page import page_table
from trimtab.testing.scorecard.project import Ports
from trimtab.testing.scorecard.row import Row, RowResult
from trimtab.testing.scorecard.run import Elsewhere, find_elsewhere, new_project_text, run_rows
from trimtab.testing.scorecard.table import ROWS, rows_named

__all__ = [
    "ROWS",
    "Elsewhere",
    "Ports",
    "Row",
    "RowResult",
    "find_elsewhere",
    "new_project_text",
    "page_table",
    "rows_named",
    "run_rows",
]
