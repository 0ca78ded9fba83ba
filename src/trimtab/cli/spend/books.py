"""What commands about the bill have in common: the project, its records and its prices."""

from pathlib import Path

from trimtab.archive import open_reader
from trimtab.config.load import find_project_file, load_project
from trimtab.insights.explain import Books
from trimtab.spend.unit_prices import ModelPrices

__all__ = ["open_books"]


def open_books(folder: Path) -> Books:
    """The books of the project in a folder, or in one above it."""
    file = find_project_file(folder)
    project = load_project(file)
    return Books(open_reader(file), project, ModelPrices(project))
