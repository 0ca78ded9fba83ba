"""`/console/release`: asks whether a release is to be changed, and why; and changes it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec
from starlette.responses import RedirectResponse, Response

from trimtab.config.schema import Project
from trimtab.console.prompt_places import Live, Place, lives_of, read_places
from trimtab.console.query import choice, link
from trimtab.console.releases import place_named
from trimtab.console.render import PAGE_HEADERS, Page
from trimtab.console.site import Answer, Asked, Serving
from trimtab.console.way_back import WayBack, seen_as, way_back
from trimtab.errors import ConfigError, TrimtabError, UnknownPath, UsageError, reply_of
from trimtab.prompts.library import Library, load_library
from trimtab.releases.edit import Author, Done, pause, rollback, withdraw
from trimtab.releases.file import load_releases
from trimtab.types.clock import NS_PER_S

__all__ = ["change_form", "changed"]

_ACTS: Final = ("rollback", "pause", "withdraw")
_MOST_CHARACTERS: Final = 500
_LOCAL: Final = "console"  # who acts where nobody logs in


class _Change(msgspec.Struct, frozen=True):
    """What somebody is about to do, as things are now.

    Attributes:
        act: one of `_ACTS`.
        released, tried: the version that is served, and the one beside it.
        back: what a rollback would serve.
        seen: a mark of all that.
    """

    project: Project
    library: Library
    place: Place
    act: str
    prompt_id: str
    released: Live
    tried: Live | None
    back: WayBack
    seen: str

    @property
    def here(self) -> str:
        """Its page."""
        return link("/console/release", env=self.place.name, id=self.prompt_id, act=self.act)

    @property
    def trouble(self) -> str:
        """Why it cannot be done; "" if it can."""
        if self.act == "rollback":
            return self.back.trouble
        if self.tried is None:
            return (
                f"{self.place.name} tries no version of {self.prompt_id}. There is nothing to do."
            )
        if self.act == "pause" and self.tried.paused:
            return f"{self.tried.version} of {self.prompt_id} is paused already."
        return ""


def change_form(project: Serving) -> Answer:
    """What will be served instead, and a field for why; `env`, `id`, `act` in the address."""

    def answer(asked: Asked) -> Page:
        return _page(_change(project(), asked))

    return answer


def changed(project: Serving) -> Answer:
    """Do it, and show the releases as they are then."""

    def answer(asked: Asked) -> Page | Response:
        change = _change(project(), asked)
        reason = " ".join(asked.fields.get("reason", "").split())
        try:
            _check(change, reason, asked.fields.get("seen", ""))
            done = _do(change, _author(asked, reason))
        except (UsageError, ConfigError) as error:
            return _page(change, error, reason=reason)
        log = load_releases(change.project.folder, change.place.name).log
        numbers = [number for number, entry in enumerate(log, 1) if entry == done.entry]
        number = str(numbers[-1]) if numbers else ""
        to = link("/console/releases", env=change.place.name, done=number)
        return RedirectResponse(to, 303, PAGE_HEADERS)

    return answer


def _change(project: Project, asked: Asked) -> _Change:
    """What the address asks for.

    Raises:
        UsageError: the act is none.
        UnknownPath: nothing of that prompt is served there.
        ConfigError: the file of the environment is wrong.
    """
    act = choice(asked.query, "act", _ACTS)
    prompt_id = asked.query.get("id", "")
    place = place_named(read_places(project), asked.query.get("env", ""))
    releases = load_releases(project.folder, place.name) if place is not None else None
    if place is None or releases is None or prompt_id not in releases.prompts:
        raise UnknownPath(
            f"No version of prompt {prompt_id[:80]!r} is served there. Choose one at "
            "`/console/releases`."
        )
    place = Place(place.name, releases, "", place.is_here)
    library = load_library(project.folder)
    released, *tried = lives_of([place], prompt_id)
    return _Change(
        project,
        library,
        place,
        act,
        prompt_id,
        released,
        tried[0] if tried else None,
        way_back(library, releases, prompt_id, environment=place.name),
        seen_as(releases.prompts[prompt_id]),
    )


def _page(change: _Change, error: TrimtabError | None = None, *, reason: str = "") -> Page:
    values = {
        "change": change,
        "place": change.place,
        "message": str(error or ""),
        "reason": reason,
        "most": _MOST_CHARACTERS,
        "back_to": link("/console/releases", env=change.place.name),
    }
    return Page("release.html", values, 200 if error is None else reply_of(error).status)


def _check(change: _Change, reason: str, seen: str) -> None:
    """Raises `UsageError` where somebody has to look, or to write, first."""
    if change.trouble:
        raise UsageError(change.trouble)
    if seen != change.seen:
        raise UsageError(
            "Somebody changed this release after you opened the page. Look at what is served now, "
            "and press the button again if it is still right."
        )
    if not reason:
        raise UsageError("Say why: the reason stays in the log.")
    if len(reason) > _MOST_CHARACTERS:
        raise UsageError(f"The reason is too long. Write at most {_MOST_CHARACTERS} characters.")


def _do(change: _Change, author: Author) -> Done:
    folder, environment = change.project.folder, change.place.name
    if change.act == "rollback":
        return rollback(change.library, environment, change.prompt_id, author=author)
    act: Callable[..., Done] = pause if change.act == "pause" else withdraw
    return act(folder, environment, change.prompt_id, author=author)


def _author(asked: Asked, reason: str) -> Author:
    at = datetime.fromtimestamp(asked.now_ns / NS_PER_S, UTC)
    return Author(asked.visitor.key_name or _LOCAL, at, reason)
