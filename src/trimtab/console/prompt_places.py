"""Where versions of prompts are live, from the release files as they are on disk."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from trimtab.config.schema import Project
from trimtab.errors import ConfigError
from trimtab.releases.file import Releases, environments, load_releases

__all__ = ["Live", "Place", "lives_of", "read_places"]


class Place(msgspec.Struct, frozen=True):
    """An environment.

    Attributes:
        name: of its file.
        releases: what the file says; nothing where it is wrong or absent.
        trouble: what is wrong with it, or "".
        is_here: this gateway serves it.
    """

    name: str
    releases: Releases
    trouble: str = ""
    is_here: bool = False


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """One version in one environment.

    Attributes:
        version, hash: which one.
        arm: for everybody, for a share, or tried without being shown.
        model: the pin.
        since: day and minute, UTC; "" where the file does not say.
        evidence: file with the verdict; "" for none.
        forced: the reason for a release without evidence.
        share: of a canary's users or a shadow's inferences.
        most_usd: what a shadow may cost.
        paused: why nobody gets it for now; "" while somebody does.
    """

    environment: str
    version: str
    hash: str
    arm: Literal["released", "canary", "shadow"]
    model: str
    since: str
    evidence: str = ""
    forced: str = ""
    share: float = 1.0
    most_usd: float = 0.0
    paused: str = ""


def read_places(project: Project) -> list[Place]:
    """All environments of a project, the one that the gateway serves first."""
    here = project.prompts.environment
    names = [here] if here else []
    names += [name for name in environments(project.folder) if name != here]
    return [_read(project, name, is_here=name == here) for name in names]


def lives_of(places: Sequence[Place], prompt_id: str) -> list[Live]:
    """Where a prompt is live, the released version before what is tried beside it."""
    found: list[Live] = []
    for place in places:
        release = place.releases.prompts.get(prompt_id)
        if release is None:
            continue
        found.append(
            Live(
                environment=place.name,
                version=release.version,
                hash=release.hash,
                arm="released",
                model=release.model,
                since=_minute(release.since),
                evidence=release.evidence,
                forced=release.forced,
            )
        )
        canary = release.canary
        if canary is not None:
            found.append(
                Live(
                    environment=place.name,
                    version=canary.version,
                    hash=canary.hash,
                    arm="shadow" if canary.shadow else "canary",
                    model=canary.model,
                    since=_minute(canary.since),
                    share=canary.share,
                    most_usd=canary.most_usd,
                    paused=canary.paused,
                )
            )
    return found


def _read(project: Project, name: str, *, is_here: bool) -> Place:
    try:
        return Place(name, load_releases(project.folder, name), is_here=is_here)
    except ConfigError as error:
        return Place(name, Releases(), str(error), is_here)


def _minute(since: str) -> str:
    return since[:16].replace("T", " ")
