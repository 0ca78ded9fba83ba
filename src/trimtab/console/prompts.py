"""`/console/prompts`: every prompt, and where its versions are live."""

from collections.abc import Sequence

import msgspec

from trimtab.console.prompt_places import Live, Place, lives_of, read_places
from trimtab.console.query import link
from trimtab.console.render import Page
from trimtab.console.site import Answer, Asked, Serving
from trimtab.errors import ConfigError
from trimtab.prompts.library import FOLDER, Library, load_library, prompt_ids
from trimtab.prompts.parse import file_of

__all__ = ["PromptRow", "prompts_page"]


class PromptRow(msgspec.Struct, frozen=True, kw_only=True):
    """One prompt.

    Attributes:
        to: its page.
        label: what people call the version that the file has; "" where the file is no prompt.
        state: what is the matter with the file where it is none.
        differs: environments that serve another version than the file has, and the way to compare.
        lives: where a version of it is live.
    """

    id: str
    to: str
    description: str = ""
    model: str = ""
    suite: str = ""
    owners: tuple[str, ...] = ()
    label: str = ""
    state: str = ""
    differs: tuple[tuple[str, str], ...] = ()
    lives: Sequence[Live] = ()


def prompts_page(project: Serving) -> Answer:
    """All prompts of the project, those too whose files are wrong or gone."""

    def answer(asked: Asked) -> Page:
        del asked
        opened = project()
        library = load_library(opened.folder)
        places = read_places(opened)
        ids = dict.fromkeys(prompt_ids(library.folder))
        released = {name for place in places for name in place.releases.prompts}
        findings = [str(finding) for finding in library.findings]
        rows: list[PromptRow] = []
        for prompt_id in (*ids, *sorted(released - ids.keys())):
            try:
                rows.append(_row(library, places, prompt_id, is_gone=prompt_id not in ids))
            except ConfigError as error:  # of its records
                findings += map(str, error.findings)
                rows.append(_known(places, prompt_id, state="a record of it is wrong"))
        return Page(
            "prompts.html",
            {
                "rows": rows,
                "findings": list(dict.fromkeys(findings)),
                "places": places,
                "environment": opened.prompts.environment,
                "folder": FOLDER,
            },
        )

    return answer


def _row(library: Library, places: Sequence[Place], prompt_id: str, *, is_gone: bool) -> PromptRow:
    prompt = library.prompts.get(prompt_id)
    if prompt is None:
        state = "its file is gone" if is_gone else "its file is wrong"
        return _known(places, prompt_id, state=state)
    known = _known(places, prompt_id)
    label = library.label(prompt)
    asked = "draft" if label.endswith("-draft") else label
    return msgspec.structs.replace(
        known,
        description=prompt.about.description,
        model=prompt.behaviour.model,
        suite=prompt.about.suite,
        owners=prompt.about.owners,
        label=label,
        differs=tuple(
            (live.environment, link("/console/diff", id=prompt_id, a=live.version, b=asked))
            for live in known.lives
            if live.arm == "released" and live.hash != prompt.version_hash
        ),
    )


def _known(places: Sequence[Place], prompt_id: str, *, state: str = "") -> PromptRow:
    return PromptRow(
        id=prompt_id,
        to=link("/console/prompt", id=prompt_id),
        state=f"{state} ({FOLDER}/{file_of(prompt_id)})" if state else "",
        lives=lives_of(places, prompt_id),
    )
