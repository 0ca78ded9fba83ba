"""What a rollback goes back to, by the log of an environment. Pure."""

from typing import NamedTuple

from trimtab.releases.file import Releases

__all__ = ["WayBack", "way_back"]


class WayBack(NamedTuple):
    """A version that was served before.

    Attributes:
        version: what people call it.
        model: the pin that it had.
        evidence: file with the verdict that allowed it; "" for none.
    """

    version: str
    model: str
    evidence: str


def way_back(releases: Releases, prompt_id: str, *, to: str = "") -> WayBack | None:
    """The version before the one that is served, or the one that is named; None if there is none.

    What was rolled back is not what one goes back to.
    """
    now = releases.prompts[prompt_id]
    changes = [
        entry
        for entry in reversed(releases.log)
        if entry.prompt == prompt_id and entry.act in {"promote", "rollback"}
    ]
    if to:
        pins = [entry.model for entry in changes if entry.after == to]
        return _known(releases, prompt_id, to, model=pins[0] if pins else now.model)
    served = (now.version, now.model)  # the same version may have been served at two models
    for entry in changes:
        if entry.act == "promote" and (entry.after, entry.model) == served and entry.before:
            return _known(releases, prompt_id, entry.before, model=entry.model_before)
    return None


def _known(releases: Releases, prompt_id: str, version: str, *, model: str) -> WayBack:
    """With the evidence of then."""
    for entry in reversed(releases.log):
        about = (entry.prompt, entry.after, entry.model)
        if about == (prompt_id, version, model) and entry.evidence:
            return WayBack(version, model, entry.evidence)
    return WayBack(version, model, "")
