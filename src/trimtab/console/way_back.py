"""What a rollback would serve instead, told before it is done."""

import hashlib

import msgspec

from trimtab.errors import ConfigError
from trimtab.prompts.library import Library
from trimtab.releases.file import Release, Releases

__all__ = ["WayBack", "seen_as", "way_back"]


class WayBack(msgspec.Struct, frozen=True):
    """The version before.

    Attributes:
        version: what people call it; "" if there is none.
        model: the pin that it had.
        evidence: file with the verdict that once allowed it; "" for none.
        trouble: why one cannot go back; "" if one can.
    """

    version: str = ""
    model: str = ""
    evidence: str = ""
    trouble: str = ""


def way_back(library: Library, releases: Releases, prompt_id: str, *, environment: str) -> WayBack:
    """The version that `releases.edit.rollback` goes back to, by the same log."""
    now = releases.prompts[prompt_id]
    for entry in reversed(releases.log):
        promoted = (entry.prompt, entry.act, entry.after) == (prompt_id, "promote", now.version)
        if promoted and entry.before:
            evidence = _evidence_of(releases, prompt_id, entry.before, model=entry.model_before)
            trouble = _missing(library, prompt_id, entry.before)
            return WayBack(entry.before, entry.model_before, evidence, trouble)
    return WayBack(
        trouble=(
            f"{environment} served no version of {prompt_id} before {now.version}. Another one "
            f"that is on record is served by `trimtab release rollback {prompt_id} --env "
            f"{environment} --to VERSION`."
        )
    )


def seen_as(release: Release) -> str:
    """A mark of what is served and tried, so that nobody changes what they have not seen."""
    return hashlib.sha256(msgspec.json.encode(release)).hexdigest()[:16]


def _evidence_of(releases: Releases, prompt_id: str, version: str, *, model: str) -> str:
    for entry in reversed(releases.log):
        about = (entry.prompt, entry.after, entry.model)
        if about == (prompt_id, version, model) and entry.evidence:
            return entry.evidence
    return ""


def _missing(library: Library, prompt_id: str, version: str) -> str:
    try:
        known = {record.name for record in library.records(prompt_id)}
    except ConfigError as error:
        return str(error)
    if version in known:
        return ""
    return (
        f"{version} of {prompt_id} is not on record in prompts/_versions. Take its record back "
        "from version control."
    )
