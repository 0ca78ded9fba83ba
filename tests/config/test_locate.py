"""Lines of keys, against every way of writing them."""

import tomllib
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from trimtab.config.locate import KeyPath, locate_keys

TRICKY = '''\
# [not.a.table]
top = "a # b = [c]"   # comment = 1
"quoted \\u0041.key" = 1
[one.two]
a.b = 1.5
a.'c' = 1979-05-27 07:32:00
multi = """
[not.a.table]
x = 1 \\""" still
"""
after = {k = {l = [1, 2]}, "m" = '}'}
list = [
  {n = 1}, # ] comment
  "]", [
  2 ],
]
raw = \'\'\'
y = 2\'\'\'
[ one . "three" ] # spaced
z = true
[one]
own = 1
'''


def test_tricky_file() -> None:
    assert locate_keys(TRICKY) == {
        ("top",): 2,
        ("quoted A.key",): 3,
        ("one",): 21,
        ("one", "two"): 4,
        ("one", "two", "a"): 5,
        ("one", "two", "a", "b"): 5,
        ("one", "two", "a", "c"): 6,
        ("one", "two", "multi"): 7,
        ("one", "two", "after"): 11,
        ("one", "two", "after", "k"): 11,
        ("one", "two", "after", "k", "l"): 11,
        ("one", "two", "after", "m"): 11,
        ("one", "two", "list"): 12,
        ("one", "two", "list", "0"): 13,
        ("one", "two", "list", "0", "n"): 13,
        ("one", "two", "raw"): 17,
        ("one", "three"): 19,
        ("one", "three", "z"): 20,
        ("one", "own"): 22,
    }
    tomllib.loads(TRICKY)  # it is TOML


def test_tables_in_arrays_have_their_places() -> None:
    text = """\
[[a.list]]
x = 1
[a.list.deep]
y = 2
[[a.list]]
x = {z = 3}
[[a.list.inner]]
w = [
  1,
  {v = 4}]
"""
    assert locate_keys(text) == {
        ("a",): 1,
        ("a", "list"): 5,
        ("a", "list", "0"): 1,
        ("a", "list", "0", "x"): 2,
        ("a", "list", "0", "deep"): 3,
        ("a", "list", "0", "deep", "y"): 4,
        ("a", "list", "1"): 5,
        ("a", "list", "1", "x"): 6,
        ("a", "list", "1", "x", "z"): 6,
        ("a", "list", "1", "inner"): 7,
        ("a", "list", "1", "inner", "0"): 7,
        ("a", "list", "1", "inner", "0", "w"): 8,
        ("a", "list", "1", "inner", "0", "w", "1"): 10,
        ("a", "list", "1", "inner", "0", "w", "1", "v"): 10,
    }


def test_nothing() -> None:
    assert locate_keys("") == {}


names = st.text("ab-_1", min_size=1, max_size=3) | st.sampled_from(['"x y"', "'#'", '"[=]"'])
values = st.sampled_from(
    ["1", "1.5", '"a = [#"', "'{'", "[1, 2]", "[\n1,\n]", '"""\nx = 1\n"""', "{p = 1, q = {r = 2}}"]
)


@given(
    st.lists(
        st.tuples(st.lists(names, min_size=1, max_size=3), st.lists(st.tuples(names, values))),
        max_size=5,
    )
)
def test_finds_exactly_the_keys_that_tomllib_finds(tables: list[Any]) -> None:
    text = "".join(
        f"[{'.'.join(header)}]\n" + "".join(f"{key} = {value}\n" for key, value in pairs)
        for header, pairs in tables
    )
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # a key was drawn twice
    assert set(locate_keys(text)) == set(_paths(parsed, ()))


def _paths(table: dict[str, object], above: KeyPath) -> list[KeyPath]:
    found: list[KeyPath] = []
    for name, value in table.items():
        found.append((*above, name))
        if isinstance(value, dict):
            found += _paths(cast("dict[str, object]", value), (*above, name))
    return found
