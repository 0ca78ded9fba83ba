"""Texts from outside as a terminal may show them: no codes, no markup, no line of their own."""

from typing import Final, Literal

from rich.cells import cell_len
from rich.text import Text

from trimtab.looks.words import one_line

__all__ = ["Ink", "state_style"]

_STYLES: Final = {
    "pass": "green",
    "better": "green",
    "passed": "green",
    "fail": "red",
    "worse": "red",
    "failed": "red",
    "unanswered": "red",
    "inconclusive": "yellow",
    "mixed": "yellow",
}
_PLAIN: Final = str.maketrans(
    {
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{EN DASH}": "-",
        "\N{RIGHTWARDS ARROW}": "->",
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{NO-BREAK SPACE}": " ",
        "\N{MATHEMATICAL LEFT WHITE SQUARE BRACKET}": "<",
        "\N{MATHEMATICAL RIGHT WHITE SQUARE BRACKET}": ">",
    }
)


def state_style(state: str) -> str:
    """The colour that goes with a word; "" for none."""
    return _STYLES.get(state, "")


class Ink:
    """Writes texts for one output.

    Attributes:
        width: columns.
        ascii_only: the output takes nothing else.
    """

    def __init__(self, width: int, *, ascii_only: bool) -> None:
        self.width = width
        self.ascii_only = ascii_only

    @property
    def overflow(self) -> Literal["crop", "ellipsis"]:
        """How `rich` is to shorten what has no room; its mark for that is not ASCII."""
        return "crop" if self.ascii_only else "ellipsis"

    def line(self, text: str) -> str:
        """A text as one line that the output takes."""
        shown = one_line(text)
        if not self.ascii_only:
            return shown
        return shown.translate(_PLAIN).encode("ascii", "backslashreplace").decode()

    def text(self, text: str, *, style: str = "") -> Text:
        """The same, for `rich`, which finds no markup in it."""
        leading = text[: len(text) - len(text.lstrip(" "))]
        return Text(leading + self.line(text), style=style)

    def heading(self, text: str) -> Text:
        """A line above others."""
        return self.text(text, style="bold")

    def item(self, text: str, *, style: str = "") -> Text:
        """One of several sentences; its later lines stand below its first word."""
        shown = Text("- ") + self.text(text, style=style)
        return shown if cell_len(shown.plain) <= self.width else _hanging(shown, self.width)


def _hanging(text: Text, width: int) -> Text:
    """Broken at spaces, later lines two columns to the right."""
    lines: list[str] = []
    for word in text.plain[2:].split(" "):
        room = width - 2
        if lines and cell_len(f"{lines[-1]} {word}") <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    style = text.spans[0].style if text.spans else ""
    return Text("- ") + Text("\n  ".join(lines), style=style)
