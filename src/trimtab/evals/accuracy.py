"""How often a built-in detector is right: `python -m trimtab.evals.accuracy refusal FILE`.

A file has one JSON object a line, and may be packed with gzip: the fields that the detector reads,
the `label` that people gave, and optionally an `id` and the field by which figures are split.
A new detector is one row of `DETECTORS`.
"""

import argparse
import gzip
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from trimtab.errors import TrimtabError, UsageError, reply_of
from trimtab.evals.accuracy_figures import Accuracy, Pair, Question, Report, TwoWay, report
from trimtab.evals.refusals.read import read_refusal
from trimtab.stats.sequential import Arm

__all__ = [
    "DETECTORS",
    "Detector",
    "LabelledRow",
    "Said",
    "label_rows",
    "load_labelled",
    "main",
    "show_report",
]


class Said(NamedTuple):
    """What a detector says of a row.

    Attributes:
        label: one of the detector's labels.
        score: from 0 to 1, more where it is surer of what its questions ask for.
        why: the words that told; "" where none did.
    """

    label: str
    score: float
    why: str = ""


class Detector(NamedTuple):
    """A detector that can be measured.

    Attributes:
        read: a row to what it says of it.
        fields: of a row that it needs; each a string.
        labels: all there are, in the order of the confusion table.
        questions: asked of the labels.
        split_by: field by which figures are split.
    """

    read: Callable[[Mapping[str, Any]], Said]
    fields: tuple[str, ...]
    labels: tuple[str, ...]
    questions: tuple[Question, ...]
    split_by: str


class LabelledRow(NamedTuple):
    """A line of a file.

    Attributes:
        place: file and line.
        fields: as they stand there.
    """

    place: str
    fields: dict[str, Any]


def _refusal(row: Mapping[str, Any]) -> Said:
    reading = read_refusal(row["response"], row["prompt"])
    return Said(reading.label, reading.score, " / ".join(told.text for told in reading.told))


DETECTORS: Final[dict[str, Detector]] = {
    "refusal": Detector(
        read=_refusal,
        fields=("prompt", "response"),
        labels=("full_refusal", "partial_refusal", "full_compliance", "abstention"),
        questions=(
            Question("any refusal", frozenset(("full_refusal", "partial_refusal"))),
            Question("full refusal", frozenset(("full_refusal",))),
        ),
        split_by="model",
    ),
}


def load_labelled(path: Path, detector: Detector) -> list[LabelledRow]:
    """The rows of a file.

    Raises:
        UsageError: the file cannot be read, or a line is not what the detector reads.
    """
    try:
        data = path.read_bytes()
        lines = (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines()
    except (OSError, EOFError) as error:
        raise UsageError(f"{path} cannot be read ({type(error).__name__}).") from None
    rows = [
        _row(f"{path}:{number}", line, detector)
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    if not rows:
        raise UsageError(f"{path} has no rows: write one JSON object a line.")
    return rows


def _row(place: str, line: bytes, detector: Detector) -> LabelledRow:
    try:
        fields = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise UsageError(f"{place} is not a JSON object: {error}") from None
    for name in (*detector.fields, "label"):
        if not isinstance(fields.get(name), str):
            raise UsageError(f"{place} has no text as {name!r}.")
    if fields["label"] not in detector.labels:
        raise UsageError(f"{place}: label must be one of {', '.join(detector.labels)}.")
    return LabelledRow(place, fields)


def label_rows(rows: Sequence[LabelledRow], detector: Detector) -> list[tuple[Pair, str]]:
    """Each row with what the detector says of it, and why."""
    found: list[tuple[Pair, str]] = []
    for row in rows:
        said = detector.read(row.fields)
        group = str(row.fields.get(detector.split_by, ""))
        found.append((Pair(group, row.fields["label"], said.label, said.score), said.why))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures of a detector on labelled files; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m trimtab.evals.accuracy", description=__doc__)
    parser.add_argument("detector", choices=sorted(DETECTORS))
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--by", help="field by which figures are split")
    parser.add_argument("--wrong", action="store_true", help="list the rows that it gets wrong")
    options = parser.parse_args(arguments)
    detector = DETECTORS[options.detector]
    if options.by:
        detector = detector._replace(split_by=options.by)
    try:
        rows = list(chain.from_iterable(load_labelled(path, detector) for path in options.files))
    except TrimtabError as error:
        sys.stderr.write(f"{error}\n")
        return reply_of(error).exit_code
    said = label_rows(rows, detector)
    shown = show_report(report([pair for pair, _ in said], detector.questions), detector)
    if options.wrong:
        shown += _wrong(rows, said)
    sys.stdout.write("\n".join(shown) + "\n")
    return 0


def show_report(figures: Report, detector: Detector) -> list[str]:
    """Figures as tables of Markdown, a line each."""
    head = ["rows", "right", *(f"{q.name}: F1" for q in detector.questions)]
    shown = ["| | " + " | ".join([*head, "precision", "recall", "AUC"]) + " |"]
    shown.append("|---" * (len(head) + 4) + "|")
    groups = figures.groups if len(figures.groups) > 1 else []
    shown += [_line(accuracy) for accuracy in (figures.every, *groups)]
    labels = [label for label in detector.labels if any(label in p for p in figures.confusion)]
    shown += [
        "",
        "| labelled, found | " + " | ".join(labels) + " |",
        "|---" * len(labels) + "|---|",
    ]
    for label in labels:
        counts = [figures.confusion.get((label, found), 0) for found in labels]
        shown.append(f"| {label} | " + " | ".join(map(str, counts)) + " |")
    return shown


def _line(accuracy: Accuracy) -> str:
    first: TwoWay = accuracy.two_way[0]
    cells = [str(accuracy.right.inferences), _share(accuracy.right)]
    cells += [_figure(two_way.f1) for two_way in accuracy.two_way]
    cells += [_share(first.precision), _share(first.recall), _figure(first.auc)]
    return f"| {accuracy.group or '-'} | " + " | ".join(cells) + " |"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _share(arm: Arm | None) -> str:
    return "-" if arm is None else f"{arm.estimate:.3f} ({arm.low:.3f} to {arm.high:.3f})"


def _wrong(rows: Sequence[LabelledRow], said: Sequence[tuple[Pair, str]]) -> list[str]:
    return [""] + [
        f"{row.fields.get('id', row.place)}: {pair.label}, found {pair.found} "
        f"({pair.score:.2f}) {why}".rstrip()
        for row, (pair, why) in zip(rows, said, strict=True)
        if pair.label != pair.found
    ]


if __name__ == "__main__":
    sys.exit(main())
