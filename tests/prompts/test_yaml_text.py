"""YAML of the safe kind: what it says, where it stands, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.errors import ConfigError
from trimtab.prompts.yaml_text import Lines, load_all


def value(text: str, expansion: int = 0):
    (document,) = load_all(text, file="x.yaml", expansion=expansion)
    return document.value


def finding(text: str, expansion: int = 0, first_line: int = 1):
    with pytest.raises(ConfigError) as raised:
        load_all(text, file="x.yaml", expansion=expansion, first_line=first_line)
    (found,) = raised.value.findings
    return found


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("2026-10-01", "2026-10-01"),
        ("12:30:45", "12:30:45"),
        ("~", None),
        ("null", None),
        ("", None),
        ("''", ""),
        ("'true'", "true"),
        ("12", 12),
        ("-3", -3),
        ("007", "007"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("0.2", 0.2),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("e5", "e5"),
        (".", "."),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("9" * 5000, "9" * 5000),
        ('"a\\nb"', "a\nb"),
        ("[1, two, {three: 3}]", [1, "two", {"three": 3}]),
    ],
)
def test_values_are_those_of_json(written: str, meant: object):
    read = value(f"key: {written}")
    assert read == {"key": meant}
    assert isinstance(read, dict)
    assert type(read["key"]) is type(meant)


def test_keys_are_text_as_written():
    assert value("true: a\n8080: b\nno: c") == {"true": "a", "8080": "b", "no": "c"}


def test_lines_of_key_paths():
    text = "a: 1\nb:\n  - x\n  - name: y\n    value: |\n      one\n      two\n\nc: 'u\n  v'\n"
    (document,) = load_all(text, file="x.yaml", first_line=2)
    assert document.line(("a",)) == 2
    assert document.lines["b", 0] == Lines(4, 4)
    assert document.lines["b", 1] == Lines(5, 8)
    assert document.lines["b", 1, "value"] == Lines(6, 8)
    assert document.lines["c",] == Lines(10, 11)
    assert document.line(("b", 7, "nothing")) == 3
    assert document.line(("nothing",)) == 2


def test_several_documents():
    read = load_all("a: 1\n---\n- b\n---\n", file="x.yaml")
    assert [document.value for document in read] == [{"a": 1}, ["b"], None]
    assert read[1].line((0,)) == 3
    assert load_all("", file="x.yaml") == []


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\nb: &x 2", 2, "anchor"),
        ("a: *x", 1, "alias"),
        ("a: 1\nb: !!python/object:os.system x", 2, "tag"),
        ("a: ! x", 1, "tag"),
        ("a: 1\nb: 2\na: 3", 3, "twice"),
        ("1: a\n'1': b", 2, "twice"),
        ("? [a, b]\n: c", 1, "key"),
        ("a: [1, 2", 1, "not YAML"),
        ("a: 1\n b: 2", 2, "not YAML"),
        ("a: \x00", 1, "control character"),
        ("a: 1\nb: \x1b[0m", 2, "control character"),
        ("a: 1e999", 1, "too large"),
        ("[" * 100 + "]" * 100, 1, "deep"),
        ("- " * 100 + "x", 1, "deep"),
    ],
)
def test_what_is_refused_has_its_line(text: str, line: int, problem: str):
    found = finding(text)
    assert found.place == f"x.yaml:{line}"
    assert problem in found.problem
    assert found.remedy


def test_an_error_never_shows_the_text():
    with pytest.raises(ConfigError) as raised:
        load_all("a: [geheim\nb: }", file="x.yaml")
    assert "geheim" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_aliases_where_they_are_allowed():
    text = "x: &x {a: 1, b: 2}\ny: *x\nz:\n  <<: *x\n  b: 3\n"
    assert value(text, 100) == {
        "x": {"a": 1, "b": 2},
        "y": {"a": 1, "b": 2},
        "z": {"a": 1, "b": 3},
    }
    (document,) = load_all(text, file="x.yaml", expansion=100)
    assert document.line(("y", "a")) == 1
    assert document.line(("z", "b")) == 5
    assert finding("a: &a [*a]", 100).problem.startswith("an alias")
    assert "<<" in finding("a: &a x\nb: {<<: *a}", 100).problem


def test_aliases_that_stand_for_gigabytes_are_stopped():
    lists = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    merges = ["a0: &a0 {x: 1}"]
    for at in range(1, 40):
        before = ", ".join([f"*a{at - 1}"] * 9)
        lists.append(f"a{at}: &a{at} [{before}]")
        merges.append(f"a{at}: &a{at} {{<<: [{before}]}}")
    assert "more than 1000" in finding("\n".join(lists), 1000).problem
    assert "more than 1000" in finding("\n".join(merges), 1000).problem


def test_a_long_chain_of_merges_ends_in_a_finding():
    chain = ["a0: &a0 {x: 1}"] + [f"a{at}: &a{at} {{<<: *a{at - 1}}}" for at in range(1, 3000)]
    assert "deep" in finding("\n".join(chain), 10**6).problem


YAMLISH = st.text(alphabet="ab01:-?&*!|>'\"[]{},#<% \n\t~.\x00é", max_size=80)


@given(YAMLISH, st.sampled_from([0, 20]))
def test_it_reads_or_says_where(text: str, expansion: int):
    try:
        documents = load_all(text, file="x.yaml", expansion=expansion)
    except ConfigError as error:
        (found,) = error.findings
        line = int(found.place.rpartition(":")[2])
        assert 1 <= line <= text.count("\n") + 1
        return
    for document in documents:
        assert all(1 <= lines.first <= lines.last for lines in document.lines.values())
