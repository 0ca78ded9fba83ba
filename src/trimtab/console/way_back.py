"""What a rollback would serve instead, told before it is done."""

import hashlib

import msgspec

from trimtab.errors import ConfigError
from trimtab.prompts.library import Library
from trimtab.releases import back as releases_back
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
    """The version that a rollback would go back to."""
    back = releases_back.way_back(releases, prompt_id)
    if back is not None:
        return WayBack(*back, _missing(library, prompt_id, back.version))
    return WayBack(
        trouble=(
            f"{environment} served no version of {prompt_id} before "
            f"{releases.prompts[prompt_id].version}. Another one that is on record is served by "
            f"`trimtab release rollback {prompt_id} --env {environment} --to VERSION`."
        )
    )


def seen_as(release: Release) -> str:
    """A mark of what is served and tried, so that nobody changes what they have not seen."""
    return hashlib.sha256(msgspec.json.encode(release)).hexdigest()[:16]


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
