"""Two schemas side by side, keyword by keyword."""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple, cast

from trimtab.prompts.diff.change import Change, Kind, is_same, place_in
from trimtab.prompts.diff.meaning import Meaning, Meanings, Side
from trimtab.prompts.schema import Schema

__all__ = ["schema_changes"]


def schema_changes(
    side: Side, old: Schema | None, new: Schema | None, *, optional: Collection[str] = ()
) -> Iterator[Change]:
    """What is different in two schemas, with what it means.

    Args:
        side: whose they are.
        old: the schema before; None where none is declared.
        new: the schema after.
        optional: variables that have a default elsewhere in the new version.
    """
    path = f"{side}.schema"
    meanings = Meanings(side, optional)
    if old is None or new is None:
        if old is not None:
            yield _change(path, meanings.undeclared(), kind="removed", old=old)
        elif new is not None:
            yield _change(path, meanings.declared(), kind="added", new=new)
        return
    yield from _Comparison(meanings).changes(_Pair(path, "", old, new))


class _Pair(NamedTuple):
    """Two schemas of one value.

    Attributes:
        path: of the schema, as in a change.
        place: of the value: `customer.name`, `items[].price`, "" for the whole.
        old, new: the schemas; one of them may be true or false.
    """

    path: str
    place: str
    old: Any
    new: Any

    def inner(self, name: str) -> str:
        """The place of a field of the value."""
        return f"{self.place}.{name}" if self.place else name


class _Comparison:
    def __init__(self, meanings: Meanings) -> None:
        self._meanings = meanings

    def changes(self, pair: _Pair) -> Iterator[Change]:
        """All changes of a pair."""
        if not _are_objects(pair.old, pair.new):  # true or false on one side
            if not is_same(pair.old, pair.new):
                meaning = Meaning("this field is checked in another way", is_breaking=True)
                yield _change(pair.path, meaning, old=pair.old, new=pair.new)
            return
        for keyword in _both(pair.old, pair.new):
            if keyword == "properties":
                yield from self._fields(pair)
            elif keyword == "required":
                yield from self._required(pair)
            else:
                yield from self._keyword(pair, keyword)

    def _keyword(self, pair: _Pair, keyword: str) -> Iterator[Change]:
        old, new = pair.old.get(keyword), pair.new.get(keyword)
        path = place_in(pair.path, keyword)
        if keyword == "items" and old is not None and new is not None:
            yield from self.changes(_Pair(path, f"{pair.place}[]", old, new))
        elif keyword == "$defs" and old is not None and new is not None:
            yield from self._definitions(_Pair(path, pair.place, old, new))
        elif (keyword in pair.old) != (keyword in pair.new) or not is_same(old, new):
            meaning = self._meanings.keyword(keyword, pair.place, (old, new))
            yield _entry(path, meaning, keyword, pair=pair)

    def _definitions(self, pair: _Pair) -> Iterator[Change]:
        """Schemas that others refer to; what holds a value of one is not looked for."""
        for name in _both(pair.old, pair.new):
            path = place_in(pair.path, name)
            if name in pair.old and name in pair.new:
                inner = _Pair(path, name, pair.old[name], pair.new[name])
                yield from self.changes(inner)
            else:
                yield _entry(path, Meaning(""), name, pair=pair)

    def _fields(self, pair: _Pair) -> Iterator[Change]:
        old, new = pair.old.get("properties", {}), pair.new.get("properties", {})
        for name in _both(old, new):
            path = place_in(f"{pair.path}.properties", name)
            place = pair.inner(name)
            if name in old and name in new:
                yield from self.changes(_Pair(path, place, old[name], new[name]))
            elif name in new:
                meaning = self._meanings.new_field(
                    place, new[name], is_required=name in pair.new.get("required", ())
                )
                yield _change(path, meaning, kind="added", new=new[name])
            else:
                is_closed = pair.new.get("additionalProperties", True) is False
                meaning = self._meanings.lost_field(place, is_closed=is_closed)
                yield _change(path, meaning, kind="removed", old=old[name])

    def _required(self, pair: _Pair) -> Iterator[Change]:
        old, new = pair.old.get("required", ()), pair.new.get("required", ())
        before, after = pair.old.get("properties", {}), pair.new.get("properties", {})
        for name in dict.fromkeys((*old, *new)):
            if (name in old) == (name in new) or (name in before) != (name in after):
                continue  # as it was, or told with the field itself
            path = f"{pair.path}.required"
            if name in new:
                meaning = self._meanings.now_required(pair.inner(name), after.get(name))
                yield _change(path, meaning, kind="added", new=name)
            else:
                meaning = self._meanings.now_optional(pair.inner(name))
                yield _change(path, meaning, kind="removed", old=name)


def _are_objects(*schemas: object) -> bool:
    return all(isinstance(schema, dict) for schema in schemas)


def _both(old: object, new: object) -> list[str]:
    """The keys of two objects, each once."""
    return list(cast("dict[str, Any]", old) | cast("dict[str, Any]", new))


def _entry(path: str, meaning: Meaning, key: str, *, pair: _Pair) -> Change:
    kind = "added" if key not in pair.old else "removed" if key not in pair.new else "changed"
    return _change(path, meaning, kind=kind, old=pair.old.get(key), new=pair.new.get(key))


def _change(
    path: str,
    meaning: Meaning,
    *,
    kind: Kind = "changed",
    old: object = None,
    new: object = None,
) -> Change:
    return Change(
        path=path,
        kind=kind,
        old=old,
        new=new,
        meaning=meaning.words,
        is_breaking=meaning.is_breaking,
    )
