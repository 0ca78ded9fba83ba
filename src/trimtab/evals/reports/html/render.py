"""Templates to HTML. Everything is escaped, always; what is not defined is an error."""

import threading
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, Final

from minijinja import Environment

from trimtab.looks import words

__all__ = ["FILTERS", "read_part", "render"]

_FOLDER: Final = files("trimtab.evals.reports.html")

FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "count": words.count,
    "ms": words.milliseconds,
    "one_line": words.one_line,
    "pieces": words.pieces,
    "several": words.several,
    "usd": words.usd,
    "utc": words.utc_time,
    "visible": words.visible,
}
"""What the templates need; an environment that includes them must have these filters."""


def render(template: str, values: Mapping[str, Any]) -> str:
    """The HTML of a template."""
    # The engine holds a lock of its own while it calls our filters: two threads at once could wait
    # for each other, one for that lock and one for the interpreter's.
    with _TURN:
        return _ENVIRONMENT.render_template(template, **values)


def read_part(name: str) -> str:
    """A template, style sheet or script of reports, by its file's name."""
    return (_FOLDER / name).read_text(encoding="utf-8")


_TURN: Final = threading.Lock()
_ENVIRONMENT: Final = Environment(
    loader=read_part,
    undefined_behavior="strict",
    auto_escape_callback=lambda _name: True,
    debug=False,  # an error must not carry the values of a page into the log
    trim_blocks=True,
    lstrip_blocks=True,
    filters=FILTERS,
)
