"""`evals/SUITE/calibration/EVALUATOR.json`: what people say of answers that a judge has judged.

The file is about exactly one judge: its evaluator with version, options and words, and the model
that answered for it. Labels are people's own and outlive a judge: they stand in the file beside,
`EVALUATOR.labels.jsonl`, with the answers that they are about.
"""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from trimtab.errors import ConfigError, Finding, UsageError
from trimtab.evals.judges.scale import Scale, scale_of
from trimtab.stats.agreement import Stratum
from trimtab.types.experiments import MetricKind

__all__ = [
    "Calibration",
    "Judge",
    "Label",
    "Pool",
    "calibration_path",
    "load_calibration",
    "strata_of",
    "write_calibration",
]

_FOLDER: Final = "calibration"
_NAME: Final = re.compile(r"\w[\w.-]{0,99}")
_MOST_BYTES: Final = 50_000_000


class Judge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who judges.

    Attributes:
        evaluator: as the suite calls it.
        use: name of the evaluator in the entry-point group.
        kind, higher_is_better: of what it says.
        hash: of the evaluator in its suite: name, version, options, and the words of the judge.
        served_model: the model that answered for it, as its provider calls it.
    """

    evaluator: str
    use: str
    kind: MetricKind
    higher_is_better: bool
    hash: str
    served_model: str

    @property
    def scale(self) -> Scale:
        """What people may say."""
        return scale_of(self.kind, higher_is_better=self.higher_is_better)


class Pool(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows of one setup with one verdict, from which labels are drawn.

    Attributes:
        setup_hash: of the setup.
        verdict: the judge's, as the nearest value of the scale.
        rows: how many there are.
    """

    setup_hash: str
    verdict: float
    rows: int


class Label(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row, as a person and the judge see it. The answer itself is in the file beside.

    Attributes:
        key: of the answer, `Item.key`.
        setup_hash, case_id, case_hash, repeat: the row.
        human, judge: values.
        characters: length of the answer.
        baseline_characters: of the one it is compared with; None without one.
        by: who labelled it, as they call themselves.
        at: UTC.
    """

    key: str
    setup_hash: str
    case_id: str
    case_hash: str
    repeat: int
    human: float
    judge: float
    characters: int
    baseline_characters: int | None = None
    by: str
    at: str


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is known of a judge.

    Attributes:
        judge: which one.
        population: what the labels were drawn from, at random within each pool.
        labels: in the order of their keys.
        skipped: rows that people could not decide; many of them make figures too good.
    """

    judge: Judge
    population: list[Pool]
    labels: list[Label]
    skipped: int = 0


def calibration_path(suite: Path, evaluator: str) -> Path:
    """The file of an evaluator of the suite in this folder.

    Raises:
        UsageError: no file can be called so.
    """
    if _NAME.fullmatch(evaluator) is None:
        raise UsageError(
            f"An evaluator called {evaluator[:80]!r} cannot be calibrated. Give it a `name` of "
            "letters, digits, `-`, `_` and `.`."
        )
    return suite / _FOLDER / f"{evaluator}.json"


def load_calibration(suite: Path, evaluator: str) -> Calibration | None:
    """What is known of a judge; None where nothing is.

    Raises:
        ConfigError: the file is not as it must be.
        UsageError: no file can be called so.
    """
    file = calibration_path(suite, evaluator)
    if not file.exists():
        return None
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ConfigError([_finding(file, "is larger than 50 MB")])
        found = msgspec.json.decode(file.read_bytes(), type=Calibration)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigError([_finding(file, f"cannot be read: {error}")]) from None
    if found.judge.evaluator != evaluator:
        problem = f"it is about another evaluator, {found.judge.evaluator[:80]!r}"
        raise ConfigError([_finding(file, problem)])
    values = [choice.value for choice in found.judge.scale.choices]
    if wrong := [label.key for label in found.labels if label.human not in values]:
        raise ConfigError([_finding(file, f"label {wrong[0][:80]!r} has none of {values}")])
    if len({label.key for label in found.labels}) < len(found.labels):
        raise ConfigError([_finding(file, "a row is there twice")])
    return found


def write_calibration(suite: Path, calibration: Calibration) -> Path:
    """Replace the file in one step: whoever reads it finds the old one or the new one.

    Raises:
        ConfigError: it cannot be written.
        UsageError: no file can be called so.
    """
    file = calibration_path(suite, calibration.judge.evaluator)
    spare = file.with_suffix(f".{os.getpid()}.new")
    content = msgspec.json.format(msgspec.json.encode(calibration), indent=1)
    try:
        file.parent.mkdir(exist_ok=True)
        with spare.open("wb") as out:
            out.write(content + b"\n")
            out.flush()
            os.fsync(out.fileno())
        spare.replace(file)
    except OSError as error:
        with suppress(OSError):
            spare.unlink(missing_ok=True)
        problem = f"cannot be written: {error.strerror}"
        raise ConfigError([Finding(str(file), problem, "Check permissions and room")]) from error
    return file


def strata_of(calibration: Calibration, setup_hash: str | None = None) -> list[Stratum]:
    """The labels by what they were drawn from; of one setup, or of all."""
    scale = calibration.judge.scale
    rows: dict[tuple[str, int], int] = {}
    for pool in calibration.population:
        rows[pool.setup_hash, scale.category(pool.verdict)] = pool.rows
    said: dict[tuple[str, int], list[float]] = {place: [] for place in rows}
    for label in calibration.labels:
        said.setdefault((label.setup_hash, scale.category(label.judge)), []).append(label.human)
    return [
        Stratum(place[1], max(rows.get(place, 0), len(values)), scale.categories(values))
        for place, values in sorted(said.items())
        if setup_hash in {None, place[0]}
    ]


def _finding(file: Path, problem: str) -> Finding:
    remedy = "Take it back from version control, or delete it and run `trimtab eval calibrate`"
    return Finding(str(file), problem, remedy)
