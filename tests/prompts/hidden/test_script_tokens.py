"""The lexer of TypeScript: it knows texts from code, never fails, and takes linear time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.prompts.hidden.found import Placeholder
from trimtab.prompts.hidden.script_source import parse_script
from trimtab.prompts.hidden.script_tokens import lex_script


def texts(source: str) -> list[str]:
    return [token.text for token in lex_script(source) if token.kind == "string"]


def kinds(source: str) -> str:
    return " ".join(token.kind for token in lex_script(source))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("'a'", ["a"]),
        ('"it\'s"', ["it's"]),
        (r"'it\'s \\ \n \x41 \u0042 \u{1F600} \q'", ["it's \\ \n A B \U0001f600 q"]),
        ("'a\\\nb'", ["ab"]),
        ("'\\ud83d'", ["\ufffd"]),
        ("// 'a'\n'b' /* 'c'\n'd' */ 'e'", ["b", "e"]),
        ("/* 'a'", []),
        ("x = /'/ ; 'a'", ["a"]),
        ("x = /[/']/g; 'a'", ["a"]),
        ("x = a / b / 'c'", ["c"]),
        ("f(a) / 2; 'b' / 3; 'c'", ["b", "c"]),
        ("return /'/.test('a')", ["a"]),
        ("don't\n'a'", ["a"]),
        ("<p>don't</p>\n'a'", ["a"]),
        ("`a` + 'b'", ["b"]),
        ("`${'a'}` + 'b'", ["b"]),
    ],
)
def test_strings(source: str, said: list[str]):
    assert texts(source) == said


def test_templates():
    source = "x = `a ${b.c} d\n${ {e: `f ${g} }`} } h \\` \\${i}`; y"
    tokens = lex_script(source)
    assert kinds(source) == "name mark template mark name"
    assert tokens[2].parts == (
        "a ",
        Placeholder("${b.c}", "b.c"),
        " d\n",
        Placeholder("${{e: `f ${g} }`}}", "{e: `f ${g} }`}"),
        " h ` ${i}",
    )
    assert (tokens[2].line, tokens[2].end_line, tokens[3].line) == (1, 2, 2)
    assert lex_script("``")[0].parts == ("",)


def test_a_template_without_an_end_is_none():
    assert kinds("a `b ${c} d") == "name"
    assert kinds("a `b ${c `d` ") == "name"


def test_lines():
    source = "'a'\n/*\n*/ b\n'c\\\nd'\n`e\n`"
    found = [(token.line, token.end_line) for token in lex_script(source)]
    assert found == [(1, 1), (3, 3), (4, 5), (6, 7)]


HARD = st.text(alphabet="ab '\"`\\/$*{}()[]\n+=:,.<>", max_size=200)


@given(HARD)
def test_it_lexes_anything_in_the_order_of_the_text(source: str):
    tokens = lex_script(source)
    places = [token.start for token in tokens]
    assert places == sorted(set(places))
    last = source.count("\n") + 1
    assert all(1 <= token.line <= token.end_line <= last for token in tokens)
    parse_script(source)


@given(st.text(max_size=50))
def test_what_a_string_says_is_read_back(said: str):
    escaped = "".join(f"\\u{{{ord(letter):x}}}" for letter in said)
    assert texts(f"x = '{escaped}'") == [said]


PIECES = [
    *("'", '"', "`", "/", "`${", "'\\", "\\'", "/[", "/*", "=/[/", "`${`", "${", "}`", "{", "("),
    *("['a',", "['a' + ", "a.", "x ? 'a' : ", "'a' + b.c + ", "f(", "=> ", "{a: ", '\\"', "`${a}"),
]


@pytest.mark.timeout(60)  # a square of the length would take hours
@pytest.mark.parametrize("piece", PIECES)
def test_it_takes_linear_time(piece: str):
    parse_script(piece * 60_000)
