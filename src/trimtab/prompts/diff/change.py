"""One change of a field, and JSON values compared place by place."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, cast

import msgspec

__all__ = ["Change", "Kind", "code", "is_same", "place_in", "value_changes", "visible"]

Kind = Literal["added", "removed", "changed"]
"""What happened to a field."""

_PLAIN: Final = re.compile(r"[\w$-]+")
_TICKS: Final = re.compile(r"`+")
_HIDDEN: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A field that is not what it was.

    Attributes:
        path: dotted, such as `config.temperature`.
        kind: what happened to it.
        old, new: JSON values; None where there is none, which `kind` tells from null.
        meaning: for who calls the prompt or reads its answers, as Markdown; "" if nothing is to
            be said.
        is_breaking: calls that were right may fail, or answers may be what no code expects.
        is_behaviour: a model sees it or is asked for it, so it makes another version.
    """

    path: str
    kind: Kind
    old: Any = None
    new: Any = None
    meaning: str = ""
    is_breaking: bool = False
    is_behaviour: bool = True


def value_changes(path: str, old: object, new: object) -> Iterator[Change]:
    """What is different in two JSON values; objects key by key, lists as a whole.

    Args:
        path: of the values.
        old: the value before.
        new: the value after.
    """
    if not (_is_object(old) and _is_object(new)):
        if not is_same(old, new):
            yield Change(path=path, kind="changed", old=old, new=new)
        return
    olds, news = cast("Mapping[str, Any]", old), cast("Mapping[str, Any]", new)
    for key in (*olds, *(key for key in news if key not in olds)):
        place = place_in(path, key)
        if key not in news:
            yield Change(path=place, kind="removed", old=olds[key])
        elif key not in olds:
            yield Change(path=place, kind="added", new=news[key])
        else:
            yield from value_changes(place, olds[key], news[key])


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping)


def place_in(path: str, key: str) -> str:
    """The path of a key: `config.stop`, `config["odd key"]`."""
    if _PLAIN.fullmatch(key) is None:
        return f"{path}[{msgspec.json.encode(key).decode()}]"
    return f"{path}.{key}" if path else key


def is_same(old: object, new: object) -> bool:
    """Equal as JSON values: true is not 1, and 1.0 is."""
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        olds, news = cast("Mapping[str, Any]", old), cast("Mapping[str, Any]", new)
        return olds.keys() == news.keys() and all(is_same(olds[k], news[k]) for k in olds)
    if isinstance(old, list | tuple) and isinstance(new, list | tuple):
        ones, others = cast("list[Any]", old), cast("list[Any]", new)
        return len(ones) == len(others) and all(map(is_same, ones, others))
    return old == new


def code(text: str) -> str:
    """Any text as code within one line of Markdown, which it cannot end.

    Line ends are shown as an arrow, and characters that nobody sees by their numbers.
    """
    shown = visible(text).replace("\n", "\N{RETURN SYMBOL}")
    longest = max((len(run) for run in _TICKS.findall(shown)), default=0)
    ticks = "`" * (longest + 1)
    space = " " if longest or not shown.strip() or shown[0] == " " == shown[-1] else ""
    return f"{ticks}{space}{shown}{space}{ticks}" if shown else "(empty)"


def visible(text: str) -> str:
    """A text with its hidden characters by number, so that a reviewer sees what a model does."""
    return _HIDDEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", text.replace("\r\n", "\n"))
