"""A trial that its guards have found to be worse: paused in the file, with the reason."""

from datetime import UTC, datetime
from pathlib import Path

from trimtab.releases.edit import Author, pause
from trimtab.releases.serving import Trial
from trimtab.stats.sequential_guards import GuardVerdict
from trimtab.types.alerts import Alert
from trimtab.types.clock import NS_PER_S

__all__ = ["pause_worse", "worse_alert"]

_WHO = "trimtab (guard)"


def pause_worse(
    project: Path, environment: str, prompt_id: str, *, version_hash: str, reason: str, now_ns: int
) -> None:
    """Write it into the file of the environment.

    Raises:
        UsageError: it is tried no more, or another one is.
        ConfigError: the file is wrong or cannot be written.
    """
    at = datetime.fromtimestamp(now_ns / NS_PER_S, UTC)
    pause(project, environment, prompt_id, author=Author(_WHO, at, reason), only=version_hash)


def worse_alert(
    environment: str, prompt_id: str, trial: Trial, *, verdict: GuardVerdict, now_ns: int
) -> Alert:
    """What people are told."""
    reading = verdict.readings[0]
    settings = trial.settings
    return Alert(
        kind="canary",
        key=f"canary/{environment}/{prompt_id}/{settings.hash}",
        at_ns=now_ns,
        message=(
            f"Canary {settings.version} of prompt {prompt_id} in {environment} is paused. "
            f"{reading.reason()}."
        ),
        facts={
            "environment": environment,
            "prompt": prompt_id,
            "version": settings.version,
            "metric": reading.metric,
            "released": reading.released.estimate,
            "candidate": reading.candidate.estimate,
            "inferences": reading.candidate.inferences,
            "evidence": reading.evidence,
        },
    )
