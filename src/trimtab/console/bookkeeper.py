"""The books of the project as it is now; they are opened anew when the project changes."""

from trimtab.console.site import Serving
from trimtab.insights.explain import Books
from trimtab.spend.unit_prices import ModelPrices
from trimtab.store.protocol import Reader

__all__ = ["Bookkeeper"]


class Bookkeeper:
    """Keeps the prices of the project at hand. For any thread: the last one to open books wins."""

    def __init__(self, reader: Reader, project: Serving) -> None:
        self._reader = reader
        self._project = project
        self._books: Books | None = None

    def books(self) -> Books:
        """Records, project and prices."""
        project, books = self._project(), self._books
        if books is None or books.project is not project:
            books = self._books = Books(self._reader, project, ModelPrices(project))
        return books
