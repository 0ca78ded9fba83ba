"""T25: who gets whose answer."""

import json
from typing import Any, Literal, cast

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.cached import RUNG
from trimtab.gateway.cache_key import MAX_KEYED_BYTES, cache_key
from trimtab.types.identity import Caller
from trimtab.types.refs import ModelRef

Scope = Literal["user", "key", "team"]

ANN = Caller("key_1", "search", "ann", "s1")
REQUEST: dict[str, Any] = {
    "model": "smart",
    "messages": [{"role": "user", "content": "hi"}],
    "temperature": 0.2,
    "stream": True,
    "stream_options": {"include_usage": True},
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"a": 1, "b": {}}}}],
}
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
# Floats and integers of the same value are different requests, but equal in Python.
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
APART = {"model", "user", "safety_identifier", "metadata", "store", "prompt_cache_key"}
REQUESTS = st.dictionaries(TEXT, JSON, max_size=6)


def key(
    request: dict[str, Any] | bytes,
    caller: Caller = ANN,
    scope: Scope = "user",
    **changes: Any,
) -> bytes | None:
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    return cache_key(body, caller=caller, scope=scope, rung=changes.pop("rung", RUNG), **changes)


def permuted(value: Any, data: st.DataObject) -> Any:
    """The same value with the keys of all objects in another order."""
    if isinstance(value, dict):
        items = list(cast("dict[str, Any]", value).items())
        return {name: permuted(inner, data) for name, inner in data.draw(st.permutations(items))}
    if isinstance(value, list):
        return [permuted(inner, data) for inner in cast("list[Any]", value)]
    return value


@given(REQUESTS, st.data())
def test_order_spaces_and_escapes_make_no_difference(request: dict[str, Any], data: st.DataObject):
    expected = key(request)
    assert expected is not None
    assert len(expected) == 32
    other = permuted(request, data)
    for style in (
        json.dumps(other, separators=(",", ":")),
        json.dumps(other, separators=(",", ":"), ensure_ascii=False),
        json.dumps(other, indent=2, ensure_ascii=False),
        json.dumps(other, indent=1),
    ):
        assert key(style.encode()) == expected


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where all values inside of `value` are."""
    if isinstance(value, dict):
        inner = cast("dict[Any, Any]", value).items()
    elif isinstance(value, list):
        inner = enumerate(cast("list[Any]", value))
    else:
        return [path]
    return [path, *(place for at, item in inner for place in places(item, (*path, at)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


@given(
    st.fixed_dictionaries({"messages": JSON}, optional={"seed": JSON, "x": JSON}), JSON, st.data()
)
def test_any_other_value_makes_another_key(request: dict[str, Any], new: Any, data: st.DataObject):
    path = data.draw(st.sampled_from([place for place in places(request) if place]))
    other = replaced(request, path, new)
    # msgspec prints what Python holds equal, 1 and 1.0, differently.
    assume(msgspec.json.encode(other) != msgspec.json.encode(request))
    assume(json.dumps(other, sort_keys=True) != json.dumps(request, sort_keys=True))
    assert key(other) != key(request)


@given(REQUESTS, TEXT, JSON)
def test_a_field_more_makes_another_key(request: dict[str, Any], name: str, value: Any):
    assume(name not in request and name not in APART)
    assert key(request | {name: value}) != key(request)


@given(st.lists(st.sampled_from(sorted(APART)), min_size=1, unique=True), JSON)
def test_fields_that_do_not_change_an_answer_are_left_out(names: list[str], value: Any):
    inner = {**REQUEST, "messages": [dict.fromkeys(names, "inside of a message it matters")]}
    assert key(REQUEST | dict.fromkeys(names, value)) == key(REQUEST)
    assert key(inner) != key(REQUEST)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1.0"),
        ("1", "1e0"),
        ("1.0", "1.00"),
        ("0.1", "0.1000000000000000055511151231257827"),
        ("1e400", "1e500"),
        ("9007199254740993", "9007199254740992"),
        ("123456789012345678901234567890", "123456789012345678901234567891"),
        ("1", '"1"'),
        ("null", "false"),
        ("0", "-0.0"),
        ("[1,2]", "[2,1]"),
        ("[]", "{}"),
    ],
)
def test_values_that_only_look_alike(one: str, other: str):
    keys = [key(b'{"messages":[],"x":%b}' % text.encode()) for text in (one, other)]
    assert None not in keys
    assert keys[0] != keys[1]


def test_stream_flags_and_their_absence_are_kept_apart():
    bodies: list[dict[str, Any]] = [
        {"messages": [], **more}
        for more in (
            {},
            {"stream": None},
            {"stream": False},
            {"stream": True},
            {"stream": True, "stream_options": {"include_usage": True}},
            {"stream": True, "stream_options": {"include_usage": False}},
        )
    ]
    assert len({key(body) for body in bodies}) == len(bodies)


@given(st.lists(TEXT, min_size=7, max_size=7), st.integers(0, 6), TEXT)
def test_no_two_tenants_models_or_versions_share(parts: list[str], at: int, new: str):
    def of(parts: list[str]) -> bytes | None:
        key_id, team, user, alias, provider, model, version = parts
        rung = msgspec.structs.replace(RUNG, alias=alias, ref=ModelRef(provider, model))
        caller = Caller(key_id, team, user)
        return key(REQUEST, caller, rung=rung, prompt_version=version)

    assume(parts[at] != new)
    assert of(parts) != of([*parts[:at], new, *parts[at + 1 :]])
    # Letters that move from one part to the next make another key, too.
    if at < 6 and parts[at] + parts[at + 1]:
        moved = [*parts[:at], parts[at] + parts[at + 1], "", *parts[at + 2 :]]
        assert (of(moved) == of(parts)) is (moved == parts)


def test_t25_who_shares_with_whom():
    bob = Caller("key_1", "search", "bob", "s2")
    nobody = Caller("key_1", "search")
    other_key = Caller("key_2", "search", "ann")
    other_team = Caller("key_3", "shop", "ann")

    def share(scope: Scope, *callers: Caller) -> bool:
        return len({key(REQUEST, caller, scope) for caller in callers}) == 1

    assert share("user", ANN, Caller("key_1", "search", "ann", "another session"))
    assert not share("user", ANN, bob)
    assert not share("user", ANN, nobody)
    assert not share("user", ANN, other_key)
    assert share("key", ANN, bob, nobody)
    assert not share("key", ANN, other_key)
    assert share("team", ANN, bob, other_key)
    assert not share("team", ANN, other_team)
    # Without a team there is nobody to share with but the key itself.
    assert not share("team", Caller("key_1"), Caller("key_2"))
    assert share("team", Caller("key_1", "", "ann"), Caller("key_1", "", "bob"))
    assert len({key(REQUEST, ANN, scope) for scope in ("user", "key", "team")}) == 3
    assert not share("key", Caller("key_1"), Caller("", "key_1"))


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":[],"temperature":0,"temperature":1}',
        b'{"messages":[], "temperature":0, "temperature": 1}',
        b'{"messages":[{"role":"user","content":"a","content":"b"}]}',
        b'{"user":"a","messages":[],"user":"b"}',
        b'{"metadata":{"a":"1","a":"2"},"messages":[]}',
        b'{"messages":["\\u00e9: \\"{:"],"a":1,"\\u0061":2}',
        b'{"messages":["\\u00e9\\\\"],"a":1,"\\\\\\":":1,"a":2}',
        b'{"messages":[{"":1,"":1}]}',
    ],
)
def test_a_key_that_is_there_twice_is_not_cached(body: bytes):
    assert key(body) is None


@given(REQUESTS, st.sampled_from((None, 1)), st.booleans())
def test_whatever_is_there_twice_is_noticed(
    request: dict[str, Any], indent: int | None, plain: bool
):
    text = json.dumps(request, indent=indent, ensure_ascii=plain)
    twice = '{"a":{},' + text.lstrip()[1:] if request else '{"a":{}}'
    assert (key(twice.encode()) is None) is ("a" in request)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"text"',
        b'{"messages":',
        b'{"messages":"\xff"}',
        b'{"messages":"\\ud800"}',
        b'{"messages":%b1%b}' % (b"[" * 5_000, b"]" * 5_000),
        b'{"seed":%b}' % (b"1" * 5_000),
        b'{"messages":"%b"}' % (b"x" * MAX_KEYED_BYTES),
    ],
)
def test_what_has_no_key(body: bytes):
    assert key(body) is None


def test_a_user_that_is_no_text_at_all_has_a_key():
    assert key(REQUEST, Caller("key_1", "", "\ud800")) != key(REQUEST, Caller("key_1", "", "?"))
