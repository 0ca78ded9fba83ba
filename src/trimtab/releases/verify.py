"""Is what the release files say true? For `trimtab check --releases`, in CI."""

from pathlib import Path

from trimtab.config.schema import Project
from trimtab.errors import ConfigError, Finding, UnknownModel, UsageError
from trimtab.prompts.library import Library, load_library
from trimtab.prompts.prompt import Prompt
from trimtab.prompts.versions import Record, load_record
from trimtab.releases.evidence import read_evidence, suite_hash
from trimtab.releases.file import Canary, Release, environments, load_releases, release_path

__all__ = ["Verdict", "verify_releases"]

Verdict = tuple[list[Finding], list[Finding]]
"""Errors, and warnings."""


def verify_releases(project: Project) -> Verdict:
    """What is wrong with the releases of a project, in all environments."""
    library = load_library(project.folder)
    errors: list[Finding] = []
    warnings: list[Finding] = []
    for environment in environments(project.folder):
        try:
            releases = load_releases(project.folder, environment)
        except ConfigError as error:
            errors += error.findings
            continue
        file = release_path(project.folder, environment)
        for name, release in releases.prompts.items():
            check = _Check(project, library, f"{file} (prompts.{name})")
            check.release(name, release)
            errors += check.errors
            warnings += check.warnings
    return errors, warnings


class _Check:
    """One release of one environment."""

    def __init__(self, project: Project, library: Library, place: str) -> None:
        self._project = project
        self._library = library
        self._place = place
        self.errors: list[Finding] = []
        self.warnings: list[Finding] = []

    def release(self, name: str, release: Release) -> None:
        prompt = self._on_record(name, release)
        if prompt is not None:
            self._check_pin(prompt, release.model)
            self._check_evidence(prompt, release)
        if release.canary is not None:
            tried = self._on_record(name, release.canary)
            if tried is not None:
                self._check_pin(tried, release.canary.model)

    def _on_record(self, name: str, which: Release | Canary) -> Prompt | None:
        try:
            for record in self._library.records(name):
                if record.name == which.version:
                    return self._same(record, which)
        except ConfigError as error:
            self.errors += error.findings
            return None
        problem = f"{which.version} is not on record in prompts/_versions/{name}"
        self._error(problem, "Commit its record, or release another version")
        return None

    def _same(self, record: Record, which: Release | Canary) -> Prompt | None:
        if record.hash != which.hash:
            self._error(
                f"{which.version} on record has another hash than the release",
                "Take both files back from version control",
            )
            return None
        return load_record(record)

    def _check_pin(self, prompt: Prompt, pin: str) -> None:
        alias = prompt.behaviour.model
        try:
            target = self._project.resolve(alias)
        except UnknownModel:
            self._error(f"its model {alias!r} is not declared", f"Declare [models.{alias}]")
            return
        offered = [str(rung.ref) for rung in target.rungs[: target.equals]]
        if pin not in offered:
            self._error(
                f"{alias!r} does not offer the pinned {pin} any more: it is {offered[0]}",
                f"Add {pin} to `also` of [models.{alias}], or release the prompt anew",
            )

    def _check_evidence(self, prompt: Prompt, release: Release) -> None:
        if release.forced:
            self._warn(
                f"{release.version} was released without evidence: {release.forced}",
                "Run the gate, and promote it again",
            )
            return
        file = self._project.folder / release.evidence
        evidence = read_evidence(file) if release.evidence else None
        if evidence is None:
            self._error(
                f"{release.version} has no evidence ({release.evidence or 'none is named'})",
                "Commit the file, or promote the version anew",
            )
            return
        about = (evidence.prompt, evidence.prompt_hash, evidence.model, evidence.suite)
        if about != (prompt.id, release.hash, release.model, prompt.about.suite):
            self._error("the evidence is about another version, model or suite", "Promote it anew")
        elif evidence.verdict != "pass":
            self._error(f"the evidence says {evidence.verdict}", "Promote a version that passes")
        elif not _is_current(self._project.folder, evidence.suite, evidence.suite_hash):
            self._warn(
                f"suite {evidence.suite} has changed since {release.version} passed it",
                "Run the gate again, so that a rollback has a version that is known to be good",
            )

    def _error(self, problem: str, remedy: str) -> None:
        self.errors.append(Finding(self._place, problem, remedy))

    def _warn(self, problem: str, remedy: str) -> None:
        self.warnings.append(Finding(self._place, problem, remedy))


def _is_current(project: Path, suite: str, known_hash: str) -> bool:
    try:
        return suite_hash(project, suite) == known_hash
    except UsageError:
        return False
