"""A result in terminals of all widths, with and without colour, in pipes, and full of odd texts."""

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from evals.reports.results import HOSTILE, first_release, gate, hostile, run_of_one
from trimtab.evals.reports.scale import Place
from trimtab.evals.reports.terminal import TerminalReport
from trimtab.evals.reports.terminal_metrics import draw_bar
from trimtab.evals.result import Result

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
WIDTHS = (60, 72, 80, 100, 110, 140, 200)


def printed(
    result: Result,
    width: int = 100,
    *,
    encoding: str = "utf-8",
    terminal: bool = True,
    no_color: bool = False,
) -> str:
    """What is written to a terminal of so many columns, or to a pipe."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="")
    colours = "truecolor" if terminal else "auto"
    console = Console(
        file=file, width=width, color_system=colours, force_terminal=terminal, no_color=no_color
    )
    console.print(TerminalReport(result))
    file.flush()
    return raw.getvalue().decode(encoding)


def words(result: Result, width: int = 100) -> str:
    return COLOURS.sub("", printed(result, width))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("result", [gate(), gate("fail"), first_release(), run_of_one()])
def test_no_line_is_wider_than_the_terminal(width: int, result: Result):
    told = words(result, width)
    assert max(cell_len(line) for line in told.splitlines()) <= width
    for name in ("accuracy", "format", "refusal", "hallucination", "latency", "cost", "tone"):
        assert re.search(rf"^{name} ", told, re.MULTILINE), name
    assert "not measured" in told
    assert "No case says whether" in told


@pytest.mark.parametrize(
    ("result", "word"),
    [
        (gate("pass"), "PASS"), (gate("fail"), "FAIL"), (gate(), "INCONCLUSIVE"),
        (run_of_one(), "MEASURED"),
    ],
)  # fmt: skip
def test_the_verdict_is_the_first_word_in_any_kind_of_output(result: Result, word: str):
    in_colour = printed(result)
    assert COLOURS.sub("", in_colour).startswith(f"{word}  support-triage: v13-draft")
    assert "\x1b[" in in_colour
    plain = printed(result, no_color=True)
    assert not re.search(r"\x1b\[[0-9;]*[34]\d[;m]", plain), "NO_COLOR"
    assert COLOURS.sub("", plain) == COLOURS.sub("", in_colour), "colour says nothing of its own"
    piped = printed(result, terminal=False)
    assert "\x1b" not in piped


def test_reasons_are_in_the_first_lines():
    lines = words(gate()).splitlines()
    assert lines[1] == "The numbers cannot tell."
    assert lines[2].startswith("- accuracy: The interval reaches beyond the margin")
    many = words(gate("fail", why=[f"reason {number}" for number in range(11)]))
    assert "- reason 7\n" in many
    assert "reason 8" not in many
    assert "- and 3 more reasons" in many


def test_figures_of_a_comparison():
    told = words(gate(), 140)
    (line,) = [line for line in told.splitlines() if line.startswith("accuracy ")]
    assert line.split()[:3] == ["accuracy", "93.3%", "91.1%"]
    assert "-2.2 pp" in line
    assert "-6.1 to +1.7 pp" in line
    assert "5.0 pp" in line
    assert line.rstrip().endswith("inconclusive")
    assert "- accuracy: about 140 more cases, or 5 repeats of each" in told
    assert "- accuracy on 15 cases tagged returns: -11.0 pp, p = 0.004" in told
    assert "of it judges $0.234" in told
    assert "180 of earlier experiments" in told
    (latency,) = [line for line in told.splitlines() if line.startswith("latency ")]
    assert latency.rstrip().endswith("(pass)")
    assert "A verdict in brackets decides nothing." in told
    assert "Note: The provider served the same model throughout." in told


def test_a_narrow_terminal_keeps_change_bar_and_verdict():
    told = words(gate(), 60)
    head = next(line for line in told.splitlines() if line.startswith("metric"))
    assert head.split() == ["metric", "candidate", "change", "verdict"]
    (line,) = [line for line in told.splitlines() if line.startswith("accuracy ")]
    assert "●" in line


def test_critical_cases_are_told_before_the_metrics():
    told = words(gate("fail"))
    assert "Critical cases that got worse: 1" in told
    assert "app-0003, accuracy: 0 of 3 now, 3 before, p = 0.05. It passed 3 of 3" in told.replace(
        "\n  ", " "
    )
    assert told.index("Critical cases") < told.index("metric ")


def test_cases_that_changed_are_listed_and_counted():
    told = words(gate())
    counts = re.search(r"^Cases: (\d+) worse, .*(\d+) same$", told, re.MULTILINE)
    assert counts is not None
    rows = re.findall(r"^(worse|mixed|unanswered|better|reworded)\s+\S+-\d{4}", told, re.MULTILINE)
    assert len(rows) == int(counts[1]) + len(rows) - rows.count("worse")
    few = io.StringIO()
    Console(file=few, width=100).print(TerminalReport(gate(), most_cases=2))
    assert re.search(r"^and \d+ more cases like these", few.getvalue(), re.MULTILINE)
    cut = words(gate(cases_total=500))
    assert "of the 60 of 500 cases that the report holds" in cut


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("width", [60, 120])
def test_odd_texts_move_nothing(name: str, width: int):
    told = printed(hostile(HOSTILE[name]), width)
    bare = COLOURS.sub("", told)
    allowed = {"\n"}
    assert not {found for found in bare if not found.isprintable()} - allowed
    assert max(cell_len(line) for line in bare.splitlines()) <= width
    assert bare.startswith("FAIL  ")
    if name == "codes":
        assert "⟦U+001B⟧[31mred" in "".join(bare.split())
        assert "[bold]b[/bold]" in bare.replace("\n", "")


@pytest.mark.parametrize("name", [*HOSTILE, ""])
def test_an_output_of_ascii_gets_ascii(name: str):
    result = hostile(HOSTILE[name]) if name else gate()
    told = printed(result, 90, encoding="ascii")
    assert told.isascii()
    if not name:
        assert "x0.907" in told
        assert re.search(r"\[-*\+?-*\*", told), "a bar"


# ------------------------------------------------------------------ bars


@pytest.mark.parametrize(
    ("place", "bar"),
    [
        (Place(-0.5, 0.0, 0.5), "    ! [-*-]      "),
        (Place(-1.5, -0.5, 0.5), "  [-+-*-+-]      "),
        (Place(-9.0, -1.5, -0.5), "<-*-+-] |        "),
        (Place(0.5, 1.0, 7.0), "    !   | [-*--->"),
        (Place(0.0, 0.0, 0.0), "    !   *        "),
        (Place(3.0, 4.0, 5.0), "    !   |       >"),
        (Place(-1.0, 0.5, 1.0, has_margin=False), "    [---+-*-]    "),
        (None, ""),
    ],
)
def test_a_bar_shows_an_interval_against_its_margin(place: Place | None, bar: str):
    drawn = draw_bar(place, 17, ascii_only=True)
    fine = draw_bar(place, 17, ascii_only=False)
    assert len(drawn) == len(fine) == (17 if place else 0)
    assert drawn == bar
