"""The place where people label: a command and a page in the console sit at the same one."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from trimtab.datasets.case import Case
from trimtab.evals.judges.acts import Act, ActFile, acts_path
from trimtab.evals.judges.calibration import (
    Calibration,
    Judge,
    Label,
    Pool,
    calibration_path,
    load_calibration,
    write_calibration,
)
from trimtab.evals.judges.labelling import WANTED, Item, Labelling, Shown
from trimtab.evals.judges.parts import reference_of
from trimtab.evals.judges.question import spoken
from trimtab.types.clock import NS_PER_S, Clock
from trimtab.types.experiments import Mark, Row

__all__ = ["Desk", "items_of"]


class Desk:
    """One evaluator of one suite. Each label is on disk, and in the calibration, when it is said.

    Args:
        suite: folder of the suite.
        judge: whose verdicts the items carry.
        items: rows that it has judged.
        clock: for the times of labels.
        by: who labels, as they call themselves.
        wanted: labels in all.

    Raises:
        ConfigError: a file is wrong or cannot be used.
        UsageError: values of this kind cannot be labelled.
    """

    def __init__(
        self,
        suite: Path,
        judge: Judge,
        items: Iterable[Item],
        *,
        clock: Clock,
        by: str,
        wanted: int = WANTED,
    ) -> None:
        self._suite = suite
        self._judge = judge
        self._clock = clock
        self._before = _of_same_judge(load_calibration(suite, judge.evaluator), judge)
        self._file = ActFile(acts_path(calibration_path(suite, judge.evaluator)))
        self._labelling = Labelling(items, judge.scale, seed=judge.hash, by=by, wanted=wanted)
        self._labelling.apply(self._file.read_new())

    def next(self) -> Shown | None:
        """The row to label now; None when all is done.

        Raises:
            ConfigError: the file of labels is wrong or cannot be used.
        """
        self._labelling.apply(self._file.read_new())
        return self._labelling.next()

    def sheet(self, most: int) -> list[Shown]:
        """The rows that come next, if each gets a label; nothing is said of them yet.

        Raises:
            ConfigError: the file of labels is wrong or cannot be used.
        """
        self._labelling.apply(self._file.read_new())
        return self._labelling.ahead(most)

    def is_open(self, key: str, word: str) -> bool:
        """Whether a row has no label yet, and this may be one.

        Raises:
            UsageError: there is no such row, or the word is none of the choices.
            ConfigError: the file of labels is wrong or cannot be used.
        """
        self._labelling.apply(self._file.read_new())
        if key in self._labelling.labels:
            return False
        self._labelling.label(key, word, at=self._now())
        return True

    def label(self, key: str, word: str) -> None:
        """Say of a row that was shown what it is.

        Raises:
            UsageError: there is no such row, it has a label, or the word is none of the choices.
            ConfigError: a file is wrong or cannot be used.
        """
        with self._file.alone():
            self._labelling.apply(self._file.read_new())
            self._keep(self._labelling.label(key, word, at=self._now()))

    def skip(self, key: str) -> None:
        """Pass a row by that nobody can decide.

        Raises:
            UsageError: there is no such row, or it has a label.
            ConfigError: a file is wrong or cannot be used.
        """
        with self._file.alone():
            self._labelling.apply(self._file.read_new())
            self._keep(self._labelling.skip(key, at=self._now()))

    def undo(self) -> None:
        """Take the last act back, whoever did it; the row is shown again.

        Raises:
            UsageError: nothing was done.
            ConfigError: a file is wrong or cannot be used.
        """
        with self._file.alone():
            self._labelling.apply(self._file.read_new())
            self._keep(self._labelling.undo(at=self._now()))

    def calibration(self) -> Calibration:
        """What is known of the judge by now."""
        before = self._before
        ours = self._labelling.population
        setups = {pool.setup_hash for pool in ours}
        kept = [pool for pool in before.population if pool.setup_hash not in setups]
        known = {
            label.key: label.judge for label in before.labels if label.setup_hash not in setups
        }
        labels = [
            _label(act, verdict)
            for key, act in sorted(self._labelling.labels.items())
            if (verdict := self._verdict(key, known)) is not None
        ]
        return Calibration(
            judge=self._judge,
            population=_sorted([*kept, *ours]),
            labels=labels,
            skipped=self._labelling.skipped,
        )

    def save(self) -> Path:
        """Write the calibration: after the judge was asked anew about rows that have labels.

        Raises:
            ConfigError: it cannot be written.
        """
        return write_calibration(self._suite, self.calibration())

    def _keep(self, act: Act) -> None:
        self._file.append(act)
        self._labelling.apply([act])
        self.save()

    def _verdict(self, key: str, known: Mapping[str, float]) -> float | None:
        verdict = self._labelling.verdict_of(key)
        return known.get(key) if verdict is None else verdict

    def _now(self) -> str:
        at = datetime.fromtimestamp(self._clock.wall_ns() // NS_PER_S, tz=UTC)
        return at.isoformat().replace("+00:00", "Z")


def items_of(
    cases: Iterable[Case],
    rows: Iterable[Row],
    marks: Iterable[Mark],
    *,
    evaluator: str,
    asked: Mapping[str, str],
    baselines: Iterable[Row] = (),
) -> list[Item]:
    """The rows that an evaluator has judged.

    Args:
        cases: of the suite.
        rows: answers.
        marks: of these rows, by the judge as it is now; other evaluators' are passed over.
        evaluator: as the suite calls it.
        asked: by id of the case, what the user's side said.
        baselines: for preferences: the answers that `rows` were compared with.
    """
    said = {_row_of(mark): mark for mark in marks if mark.evaluator == evaluator}
    by_id = {case.id: case for case in cases}
    compared = {(row.case_hash, row.repeat): row.text for row in baselines}
    items: list[Item] = []
    for row in rows:
        mark = said.get(_row_of(row))
        case = by_id.get(row.case_id)
        if case is None or mark is None or mark.status != "measured" or mark.value is None:
            continue
        baseline = compared.get((row.case_hash, row.repeat))
        items.append(
            Item(
                setup_hash=row.setup_hash,
                case_id=row.case_id,
                case_hash=row.case_hash,
                repeat=row.repeat,
                asked=asked.get(row.case_id, ""),
                sources=case.sources,
                reference=reference_of(case.expected),
                text=spoken(row.text, row.tool_calls) if baseline is None else row.text,
                baseline_text=baseline,
                verdict=mark.value,
            )
        )
    return items


def _row_of(one: Row | Mark) -> tuple[str, str, int, str]:
    return one.setup_hash, one.case_hash, one.repeat, one.served_model


def _of_same_judge(before: Calibration | None, judge: Judge) -> Calibration:
    """What is known already of exactly this judge."""
    if before is None or before.judge != judge:
        return Calibration(judge=judge, population=[], labels=[])
    return before


def _label(act: Act, verdict: float) -> Label:
    assert act.value is not None, "a label has a value"
    baseline = act.baseline_text
    return Label(
        key=act.key,
        setup_hash=act.setup_hash,
        case_id=act.case_id,
        case_hash=act.case_hash,
        repeat=act.repeat,
        human=act.value,
        judge=verdict,
        characters=len(act.text),
        baseline_characters=None if baseline is None else len(baseline),
        by=act.by,
        at=act.at,
    )


def _sorted(pools: Iterable[Pool]) -> list[Pool]:
    return sorted(pools, key=lambda pool: (pool.setup_hash, pool.verdict))
