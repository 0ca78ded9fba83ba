"""What is served: an immutable snapshot of an environment, or of the files as they are."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from trimtab.errors import ConfigError, Finding, PromptNotReleased
from trimtab.prompts.library import Library, load_library
from trimtab.prompts.prompt import Prompt
from trimtab.prompts.versions import load_record
from trimtab.releases.file import Canary, Release, load_releases, release_path
from trimtab.types.records import Arm

__all__ = ["PromptDesk", "Served", "Trial", "open_desk", "share_of"]

_MAX_SHOWN: Final = 80


class Served(NamedTuple):
    """A version, and how it is served.

    Attributes:
        prompt: the version.
        label: `v12`, or `v13-draft`.
        pin: `provider:model` that must serve it; "" for what its alias stands for.
        arm: why this one.
    """

    prompt: Prompt
    label: str
    pin: str
    arm: Arm


class Trial(NamedTuple):
    """A version beside the released one."""

    served: Served
    settings: Canary
    released: Served


class _Entry(NamedTuple):
    released: Served
    trial: Trial | None


class PromptDesk:
    """Answers which version an inference gets. One snapshot; a change makes a new one.

    Args:
        library: the files as they are.
        environment: name of what is served; "" for the files as they are.
        entries: what is released, by prompt.
    """

    def __init__(self, library: Library, environment: str, entries: Mapping[str, _Entry]) -> None:
        self.library = library
        self.environment = environment
        self._entries = entries
        self._known: dict[tuple[str, str], Served] = {}

    def serve(self, prompt_id: str, version: str, who: str) -> Served:
        """The version for an inference.

        Args:
            prompt_id: which prompt.
            version: as the caller names it; "" for what is released.
            who: user, else session, else inference: the same one always gets the same version.

        Raises:
            UnknownPrompt: there is no such prompt, or no such version.
            PromptNotReleased: the environment serves no version of it.
        """
        if version:
            return self._by_name(prompt_id, version)
        if not self.environment:
            return self._draft(prompt_id)
        entry = self._entries.get(prompt_id)
        if entry is None:
            self._refuse(prompt_id)
        trial = entry.trial
        if trial is not None and not trial.settings.shadow and _falls_to(trial, prompt_id, who):
            return trial.served
        return entry.released

    def shadow(self, prompt_id: str, inference_id: str) -> Trial | None:
        """The version that is to be tried beside an inference without being shown, if any."""
        entry = self._entries.get(prompt_id)
        trial = entry.trial if entry is not None else None
        if trial is None or not trial.settings.shadow:
            return None
        return trial if _falls_to(trial, prompt_id, inference_id) else None

    def without_trial(self, prompt_id: str) -> "PromptDesk":
        """The same, but nobody gets what is tried of a prompt."""
        entries = dict(self._entries)
        if prompt_id in entries:
            entries[prompt_id] = entries[prompt_id]._replace(trial=None)
        return PromptDesk(self.library, self.environment, entries)

    def trials(self) -> dict[str, Trial]:
        """All versions that are tried, by prompt, those that are paused too."""
        return {
            name: entry.trial for name, entry in self._entries.items() if entry.trial is not None
        }

    def prompts(self) -> dict[tuple[str, str, str], Prompt]:
        """Every version that was read from its record, by prompt, number and hash."""
        found: dict[tuple[str, str, str], Prompt] = {}
        for name, entry in self._entries.items():
            for served in (entry.released, entry.trial.served if entry.trial else None):
                if served is not None:
                    found[name, served.label, served.prompt.version_hash] = served.prompt
        return found

    def released(self, prompt_id: str) -> Served | None:
        """What is released of a prompt."""
        entry = self._entries.get(prompt_id)
        return entry.released if entry is not None else None

    def _draft(self, prompt_id: str) -> Served:
        known = self._known.get((prompt_id, ""))
        if known is None:
            prompt = self.library.prompt(prompt_id)
            known = Served(prompt, self.library.label(prompt), "", "draft")
            self._known[prompt_id, ""] = known
        return known

    def _by_name(self, prompt_id: str, version: str) -> Served:
        known = self._known.get((prompt_id, version))
        if known is None:
            prompt = self.library.version(prompt_id, version)
            known = Served(prompt, self.library.label(prompt), "", "asked")
            self._known[prompt_id, version] = known
        return known

    def _refuse(self, prompt_id: str) -> NoReturn:
        if not self.library.records(prompt_id):
            self.library.prompt(prompt_id)  # which says what there is
        shown = prompt_id[:_MAX_SHOWN]
        raise PromptNotReleased(
            f"{self.environment} serves no version of prompt {shown!r}. Run "
            f"`trimtab release promote {shown} --env {self.environment}`, or name a version.",
            param="prompt.id",
        )


def open_desk(project: Path, environment: str, *, before: PromptDesk | None = None) -> PromptDesk:
    """The snapshot of an environment as it is on disk now.

    Args:
        project: folder of the project.
        environment: which one; "" for the files as they are.
        before: an older snapshot, whose versions need not be read again.

    Raises:
        ConfigError: what is released is not on record, or its record is damaged. What is wrong
            with the files of prompts that are not served is no reason: see `Library.findings`.
    """
    library = load_library(project)
    if not environment:
        return PromptDesk(library, "", {})
    releases = load_releases(project, environment)
    file = release_path(project, environment)
    findings: list[Finding] = []
    entries: dict[str, _Entry] = {}
    loader = _Loader(library, before)
    for name, release in releases.prompts.items():
        try:
            entries[name] = loader.entry(name, release)
        except ConfigError as error:
            findings += [
                Finding(f"{file} (prompts.{name})", found.problem, found.remedy)
                for found in error.findings
            ]
    if findings:
        raise ConfigError(findings)
    return PromptDesk(library, environment, entries)


class _Loader:
    def __init__(self, library: Library, before: PromptDesk | None) -> None:
        self._library = library
        self._known = before.prompts() if before is not None else {}

    def entry(self, name: str, release: Release) -> _Entry:
        released = self._served(name, release, "released")
        if release.canary is None:
            return _Entry(released, None)
        arm: Arm = "shadow" if release.canary.shadow else "canary"
        tried = self._served(name, release.canary, arm)
        return _Entry(released, Trial(tried, release.canary, released))

    def _served(self, name: str, which: Release | Canary, arm: Arm) -> Served:
        prompt = self._known.get((name, which.version, which.hash))
        if prompt is None:
            prompt = self._load(name, which)
        return Served(prompt, which.version, which.model, arm)

    def _load(self, name: str, which: Release | Canary) -> Prompt:
        for record in self._library.records(name):
            if record.name == which.version:
                if record.hash != which.hash:
                    problem = f"{which.version} on record has another hash than the release"
                    break
                return load_record(record)
        else:
            problem = f"{which.version} of {name} is not on record in prompts/_versions"
        raise ConfigError([Finding("", problem, "Take both files back from version control")])


def share_of(prompt_id: str, version_hash: str, who: str) -> float:
    """Where somebody stands between 0 and 1 for a trial; below its share they get it.

    It depends on the version, so that it is not always the same users on whom things are tried;
    and not on the share, so that who has it keeps it when the share grows.
    """
    digest = hashlib.sha256(f"{prompt_id}\0{version_hash}\0{who}".encode()).digest()
    return int.from_bytes(digest[:8]) / (1 << 64)


def _falls_to(trial: Trial, prompt_id: str, who: str) -> bool:
    settings = trial.settings
    return not settings.paused and share_of(prompt_id, settings.hash, who) < settings.share
