"""What production asked lately: the tags that callers gave, and what each inference says itself.

A caller tags a request as OpenAI's API has it, in `metadata`: `{"tags": "billing, refund"}`. Events
do not carry metadata, so tags are read from the requests as they were kept.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple, cast

import msgspec

from trimtab.datasets.suite import Suite
from trimtab.store.protocol import Reader
from trimtab.store.records import Event, EventField, EventQuery

__all__ = ["KINDS", "MOST", "OWN_TEAM", "Kind", "Traffic", "read_traffic"]

Kind = Literal["class", "route", "version"]
OWN_TEAM: Final = "evals"
"""On whose account the house asks cases and judges."""

KINDS: Final[tuple[Kind, ...]] = ("class", "route", "version")
"""What is known of every inference; a case with the tag `class:pro` stands for that class."""

MOST: Final = 5_000
"""Inferences that are looked at, the newest first."""

_PAGE: Final = 500
_MOST_TAGS: Final = 20  # of one request
_LONGEST: Final = 80
_NOT_SHOWN: Final = frozenset(("eval", "shadow"))  # nobody saw these answers


class Traffic(NamedTuple):
    """Inferences of production.

    Attributes:
        inferences: that were looked at.
        more: there are older ones in the range that were not.
        read: whose requests were kept, so that their tags can be told.
        tagged: of these, with a tag.
        tags: how many have each tag.
        kinds: how many of all are of each class, route and version; "" for none.
    """

    inferences: int
    more: bool
    read: int
    tagged: int
    tags: dict[str, int]
    kinds: dict[Kind, dict[str, int]]


def read_traffic(
    reader: Reader, suite: Suite, since_ns: int, *, until_ns: int, most: int = MOST
) -> Traffic:
    """The newest inferences that a suite is about: of its prompt, else of its model.

    Args:
        reader: of the store.
        suite: with its prompt and model.
        since_ns: UTC nanoseconds from which on they began.
        until_ns: up to which, itself excluded.
        most: inferences that are looked at.
    """
    tags: Counter[str] = Counter()
    kinds: dict[Kind, Counter[str]] = {kind: Counter() for kind in KINDS}
    inferences = read = tagged = 0
    more = False
    for event in _events(reader, suite, (since_ns, until_ns)):
        if inferences == most:
            more = True
            break
        inferences += 1
        kinds["class"][event.user_class] += 1
        kinds["route"][event.route] += 1
        kinds["version"][event.prompt_version] += 1
        body = reader.body(event.inference_id)
        if body is not None:
            own = _tags_of(body[0])
            read += 1
            tagged += bool(own)
            tags.update(own)
    counted: dict[Kind, dict[str, int]] = {
        kind: dict(counts.most_common()) for kind, counts in kinds.items()
    }
    return Traffic(inferences, more, read, tagged, dict(tags.most_common()), counted)


def _events(reader: Reader, suite: Suite, span: tuple[int, int]) -> Iterator[Event]:
    """What callers were answered; what the house asked by itself is left out."""
    where: Mapping[EventField, str] = {"prompt": suite.prompt} if suite.prompt else {}
    after = ""
    while True:
        page = reader.event_page(
            EventQuery(since_ns=span[0], until_ns=span[1], where=where, limit=_PAGE, after=after)
        )
        for event in page.events:
            own = event.team == OWN_TEAM or event.prompt_arm in _NOT_SHOWN
            if not own and _is_about(event, suite):
                yield event
        if not page.next:
            return
        after = page.next


def _is_about(event: Event, suite: Suite) -> bool:
    if suite.prompt or not suite.model:
        return True
    return suite.model in {event.alias, event.route, f"{event.provider}:{event.model}"}


class _Request(msgspec.Struct):
    metadata: object = None


_decode: Final = msgspec.json.Decoder(_Request).decode


def _tags_of(request: bytes) -> set[str]:
    try:
        metadata = _decode(request).metadata
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return set()
    said = cast("dict[str, object]", metadata).get("tags") if isinstance(metadata, dict) else None
    words: list[object] = [*said.split(",")] if isinstance(said, str) else []
    if isinstance(said, list):
        words = cast("list[object]", said)
    found = [word.strip()[:_LONGEST] for word in words if isinstance(word, str) and word.strip()]
    return set(found[:_MOST_TAGS])
