"""How well groundedness is told: `python -m trimtab.evals.grounding.accuracy FILE ...`.

A file has one JSON object a line, and may be packed with gzip. Fields: `source_text`, or `sources`
as a list; `response`; `label`, `grounded` or any other word; optionally `question`, and `source`,
the set that a row belongs to. With rows of your own use it says which threshold fits them.
"""

import argparse
import gzip
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from trimtab.errors import TrimtabError, UsageError, reply_of
from trimtab.evals.grounding.answer import THRESHOLD, ground_answer
from trimtab.evals.grounding.roc import (
    Area,
    Threshold,
    area,
    threshold_figures,
    threshold_for,
)

__all__ = [
    "GROUNDED",
    "LabelledRow",
    "SetAccuracy",
    "load_rows",
    "main",
    "measure",
    "show_accuracy",
]

GROUNDED: Final = "grounded"
"""The label of an answer that its sources support."""

_MOST_FALSE: Final = 0.05


class LabelledRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a file; other fields are for others.

    Attributes:
        response: the answer.
        label: what people say of it.
        source_text: what it may rest on; "" where there is none.
        sources: the same as several texts.
        question: that it answers.
        source: the set that it belongs to.
    """

    response: str
    label: str
    source_text: str | None = ""
    sources: list[str] = []
    question: str | None = ""
    source: str = "all"

    def texts(self) -> list[str]:
        """All sources that are not blank."""
        found = [*self.sources, self.source_text or ""]
        return [text for text in found if text.strip()]


class SetAccuracy(NamedTuple):
    """Figures of one set.

    Attributes:
        name: of the set.
        without: rows that have no source, and so no score.
        area: under the curve; None where one of the two labels is missing.
        default: what the default threshold does.
        balanced: the threshold with the best balance on these rows.
        strict: the one that catches most with 5 % false alarms at most.
    """

    name: str
    without: int
    area: Area | None
    default: Threshold | None = None
    balanced: Threshold | None = None
    strict: Threshold | None = None


def measure(rows: Iterable[LabelledRow]) -> list[SetAccuracy]:
    """Figures of each set, by name."""
    sets: dict[str, list[LabelledRow]] = {}
    for row in rows:
        sets.setdefault(row.source, []).append(row)
    return [_measure_set(name, sets[name]) for name in sorted(sets)]


def _measure_set(name: str, rows: Sequence[LabelledRow]) -> SetAccuracy:
    good: list[float] = []
    bad: list[float] = []
    without = 0
    for row in rows:
        texts = row.texts()
        if not texts:
            without += 1
            continue
        scores = good if row.label == GROUNDED else bad
        scores.append(ground_answer(row.response, texts, row.question or "").support)
    if not good or not bad:
        return SetAccuracy(name, without, None)
    return SetAccuracy(
        name,
        without,
        area(good, bad),
        threshold_figures(good, bad, THRESHOLD),
        threshold_for(good, bad),
        threshold_for(good, bad, most_false=_MOST_FALSE),
    )


def load_rows(path: Path) -> list[LabelledRow]:
    """The rows of a file.

    Raises:
        UsageError: it cannot be read, or a line is not such a row; names the line.
    """
    decoder = msgspec.json.Decoder(LabelledRow)
    rows: list[LabelledRow] = []
    try:
        data = path.read_bytes()
        lines = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).splitlines()
    except (OSError, EOFError) as error:
        raise UsageError(f"{path} cannot be read ({error}). Give a file of JSON lines.") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.append(decoder.decode(line))
        except msgspec.DecodeError as error:
            raise UsageError(
                f"{path}:{number}: {error}. A line has response, label and source_text."
            ) from None
    return rows


def show_accuracy(sets: Sequence[SetAccuracy]) -> list[str]:
    """Figures as a table of Markdown, a line each."""
    columns = ["set", "rows", "AUC (95 %)", f"at {THRESHOLD}: recall, false alarms"]
    columns += [
        "best balance: threshold, recall, false alarms",
        "5 % false alarms: threshold, recall",
    ]
    shown = [_row(columns), "|---" * len(columns) + "|"]
    shown += [_row(_cells(one)) for one in sets]
    areas = [one.area.value for one in sets if one.area is not None]
    if len(areas) > 1:
        shown.append(_row(["mean of sets", "", f"{sum(areas) / len(areas):.3f}", "", "", ""]))
    return shown


def _cells(one: SetAccuracy) -> list[str]:
    figures = (one.area, one.default, one.balanced, one.strict)
    area_found, default, balanced, strict = figures
    if area_found is None or default is None or balanced is None or strict is None:
        why = f"{one.without} without a source" if one.without else "one label only"
        return [one.name, "", f"none: {why}", "", "", ""]
    return [
        one.name,
        str(area_found.good + area_found.bad),
        f"{area_found.value:.3f} ({area_found.low:.3f} to {area_found.high:.3f})",
        f"{default.recall:.2f}, {default.false_alarms:.2f}",
        f"{balanced.value:.2f}, {balanced.recall:.2f}, {balanced.false_alarms:.2f}",
        f"{strict.value:.2f}, {strict.recall:.2f}",
    ]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures of files; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m trimtab.evals.grounding.accuracy",
        description="How well groundedness is told.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="JSON lines, or .gz")
    parsed = parser.parse_args(arguments)
    try:
        rows = [row for path in parsed.files for row in load_rows(path)]
    except TrimtabError as error:
        sys.stderr.write(f"{error}\n")
        return reply_of(error).exit_code
    sys.stdout.write("\n".join(show_accuracy(measure(rows))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
