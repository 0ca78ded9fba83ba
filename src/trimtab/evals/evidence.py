"""What a gate proves, as a file that a release needs and a review can read."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from trimtab.errors import ConfigError, Finding
from trimtab.evals.result import Result
from trimtab.releases.evidence import Evidence
from trimtab.types.clock import NS_PER_S

__all__ = ["write_evidence"]

_NAME_DIGITS: Final = 16


def write_evidence(suite_folder: Path, result: Result) -> Path | None:
    """Write `evidence/HASH.json` of a gate; None where there is no prompt that it could be about.

    None, too, of one that was stopped: it was not seen to its end, so it proves nothing.

    What decides a release are the fields of `Evidence`; the others are for people.

    Raises:
        ConfigError: the file cannot be written.
    """
    experiment = result.experiment
    setup = experiment.candidate
    if not setup.prompt or not result.verdict or result.stopped:
        return None
    at = datetime.fromtimestamp(experiment.ended_ns / NS_PER_S, UTC)
    evidence = Evidence(
        prompt=setup.prompt,
        prompt_hash=setup.prompt_hash,
        model=setup.model,
        suite=experiment.suite,
        suite_hash=experiment.suite_hash,
        verdict=result.verdict,
        at=at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    told = {**msgspec.to_builtins(evidence), **_details(result)}
    body = msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"
    file = suite_folder / "evidence" / f"{hashlib.sha256(body).hexdigest()[:_NAME_DIGITS]}.json"
    try:
        file.parent.mkdir(exist_ok=True)
        part = file.with_suffix(".part")
        part.write_bytes(body)
        Path(part).replace(file)
    except OSError as error:
        problem = f"cannot be written: {error.strerror}"
        raise ConfigError([Finding(str(file), problem, "Check its permissions")]) from error
    return file


def _details(result: Result) -> dict[str, Any]:
    experiment = result.experiment
    base = experiment.baseline
    return {
        "experiment": experiment.id,
        "label": experiment.candidate.label,
        "overrides": experiment.candidate.overrides,
        "baseline": None
        if base is None
        else {"label": base.label, "prompt_hash": base.prompt_hash, "model": base.model},
        "cases": result.cases_total,
        "repeats": experiment.repeats,
        "why": result.why,
        "metrics": [
            {
                "metric": one.metric,
                "verdict": one.verdict,
                "primary": one.primary,
                "candidate": one.candidate.value,
                "baseline": one.baseline.value,
                "difference": one.difference,
                "low": one.low,
                "high": one.high,
                "margin": one.margin,
            }
            for one in result.comparisons
        ],
        "figures": {
            one.metric: one.estimate.value for one in result.figures if one.estimate is not None
        },
        "critical": [one.case_id for one in result.critical],
        "spent_nanousd": result.spent_nanousd,
    }
