"""`/console/releases`: what an environment serves, and who did what there, when and why."""

from collections.abc import Sequence

import msgspec

from trimtab.console.prompt_places import Live, Place, lives_of, read_places
from trimtab.console.render import Page
from trimtab.console.site import Answer, Asked, Serving
from trimtab.console.way_back import WayBack, way_back
from trimtab.errors import UnknownPath
from trimtab.prompts.library import Library, load_library
from trimtab.releases.file import FOLDER, LogEntry

__all__ = ["ServedRow", "place_named", "releases_page"]

_MOST_ENTRIES = 200


class ServedRow(msgspec.Struct, frozen=True):
    """What is served of one prompt.

    Attributes:
        lives: the released version, and the one that is tried beside it if any.
        back: what a rollback would serve.
    """

    id: str
    lives: Sequence[Live]
    back: WayBack


class _Line(msgspec.Struct, frozen=True):
    """One line of the log, in words."""

    entry: LogEntry
    words: str


def releases_page(project: Serving) -> Answer:
    """One environment; `env` in the address, and `done`, the line of the log to tell of."""

    def answer(asked: Asked) -> Page:
        opened = project()
        places = read_places(opened)
        place = place_named(places, asked.query.get("env", ""))
        log = place.releases.log if place is not None else ()
        lines = [_Line(entry, entry.sentence) for entry in reversed(log[-_MOST_ENTRIES:])]
        return Page(
            "releases.html",
            {
                "places": places,
                "place": place,
                "rows": _rows(load_library(opened.folder), place) if place is not None else [],
                "lines": lines,
                "earlier": max(0, len(log) - _MOST_ENTRIES),
                "done": _done(log, asked.query.get("done", "")),
                "file": f"{FOLDER}/{place.name}.toml" if place is not None else "",
            },
        )

    return answer


def place_named(places: Sequence[Place], name: str) -> Place | None:
    """An environment; without a name the one that is served here, else the first one, if any.

    Raises:
        UnknownPath: there is none of that name.
    """
    if not name:
        return places[0] if places else None
    for place in places:
        if place.name == name:
            return place
    known = ", ".join(place.name for place in places) or "none"
    raise UnknownPath(f"There is no environment {name[:80]!r}. In {FOLDER}/ there are: {known}.")


def _rows(library: Library, place: Place) -> list[ServedRow]:
    return [
        ServedRow(
            prompt_id,
            lives_of([place], prompt_id),
            way_back(library, place.releases, prompt_id, environment=place.name),
        )
        for prompt_id in sorted(place.releases.prompts)
    ]


def _done(log: Sequence[LogEntry], number: str) -> str:
    """What was just done, by the number of its line in the log; "" for none."""
    if not number.isdecimal() or len(number) > 9 or not 0 < int(number) <= len(log):
        return ""
    return log[int(number) - 1].sentence
