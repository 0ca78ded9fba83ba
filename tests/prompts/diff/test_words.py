"""Which words of a text changed."""

from itertools import pairwise
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.prompts.diff.lines import diff_lines
from trimtab.prompts.diff.matching import matching_blocks
from trimtab.prompts.diff.words import Span, word_changes

TEXTS = st.text(st.sampled_from("ab \n.,{}%é日"), max_size=60)


def shown(old: str, new: str) -> str:
    """`[-old-]{+new+}` for words, `...3` for a gap."""
    marks = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
    return "".join(
        f"...{span.words}" if span.kind == "gap" else marks[span.kind].format(span.text)
        for span in word_changes(old, new)
    )


@given(old=TEXTS, new=TEXTS)
def test_the_spans_make_up_both_texts(old: str, new: str):
    spans = word_changes(old, new, context=None)
    assert (spans == ()) == (old == new)
    if spans:
        assert "".join(span.text for span in spans if span.kind != "added") == old
        assert "".join(span.text for span in spans if span.kind != "removed") == new
    for one, other in pairwise(spans):
        assert one.kind != other.kind
        assert (one.kind, other.kind) != ("added", "removed")


@given(old=TEXTS, new=TEXTS)
def test_a_gap_only_stands_for_words_that_are_the_same(old: str, new: str):
    def changed(spans: tuple[Span, ...]) -> list[Span]:
        return [span for span in spans if span.kind in {"removed", "added"}]

    short = word_changes(old, new, context=1)
    assert changed(short) == changed(word_changes(old, new, context=None))


@given(old=TEXTS, new=TEXTS)
def test_lines_of_a_difference_make_up_both_texts(old: str, new: str):
    lines = list(diff_lines(word_changes(old, new, context=None)))

    def side(mark: str) -> str:
        kept = [line[1:].replace("·", " ") for line in lines if line[0] in {" ", mark}]
        return "\n".join(kept)

    if old != new:
        assert side("-") in {old, old.removesuffix("\n")}
        assert side("+") in {new, new.removesuffix("\n")}
        assert any(line[0] != " " for line in lines)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Be kind to users.", "Be short to users.", "Be [-kind-]{+short+} to users."),
        ("Be kind", "Be kind and short", "Be kind{+ and short+}"),
        ("one, two", "three, four", "[-one, two-]{+three, four+}"),
        ("Hi {{ name }}!", "Hi {{ user.name }}!", "Hi [-{{ name }}-]{+{{ user.name }}+}!"),
        ("don't", "do", "[-don't-]{+do+}"),
        ("日本語です", "日本人です", "日本[-語-]{+人+}です"),
        ("a b", "a  b", "a {+ +}b"),
        ("It broke", "The ticket: It broke", "{+The ticket: +}It broke"),
        ("The ticket: It broke", "It broke", "[-The ticket: -]It broke"),
        ("ham", "gotham", "[-ham-]{+gotham+}"),
        ("a\nb\nc", "a\nnew\nb\nc", "a\n{+new\n+}b\nc"),
        ("", "a", "{+a+}"),
    ],
)
def test_words_are_what_people_take_for_words(old: str, new: str, expected: str):
    assert shown(old, new) == expected


def test_what_is_the_same_is_shortened_to_words_around_a_change():
    old = " ".join(f"w{number}" for number in range(40))
    assert shown(old, old.replace("w20", "new")) == (
        "...12 w12 w13 w14 w15 w16 w17 w18 w19 [-w20-]{+new+} w21 w22 w23 w24 w25 w26 w27 w28...11"
    )


def test_a_gap_tells_its_lines():
    old = "\n".join(f"line {number}" for number in range(40))
    gap, *_ = word_changes(old, old.replace("line 30", "row 30"))
    assert (gap.kind, gap.words, gap.lines) == ("gap", 52, 26)


def test_one_of_many_lines_that_look_alike_is_found():
    old = "\n".join(["same"] * 30_000)
    assert shown(f"{old}\nend", f"{old}\nnew\nend") == (
        "...29992" + "\nsame" * 8 + "\n{+new\n+}end"
    )


def numbers(count: int, *, step: int = 1) -> list[str]:
    return [f"{at * step % count:05}" for at in range(count)]


HARD = {
    "all the same": ("a " * 50_000, "a " * 49_000 + "b " + "a " * 500),
    "two words": ("a b " * 25_000, "b b a " * 17_000),
    "two lines": ("a\nb\n" * 25_000, "b\nb\na\n" * 17_000),
    "commas": ("a,b," * 25_000, "c,d," * 25_000),
    "another order": (" ".join(numbers(16_001)), " ".join(numbers(16_001, step=7_919))),
    "backwards": ("\n".join(numbers(16_000)), "\n".join(reversed(numbers(16_000)))),
    "open tags": ("{{" * 50_000, "{{" * 49_000 + "x"),
    "spaces": (" " * 100_000, "\t" * 100_000),
}


@pytest.mark.parametrize("name", HARD)
def test_texts_that_are_made_to_be_hard_do_not_take_long(name: str):
    old, new = HARD[name]
    begun = perf_counter()
    spans = word_changes(old, new, context=None)
    assert perf_counter() - begun < 5  # it takes a tenth of a second; a quadratic way, minutes
    assert "".join(span.text for span in spans if span.kind != "added") == old
    assert "".join(span.text for span in spans if span.kind != "removed") == new


@given(
    old=st.lists(st.sampled_from("abcdef"), max_size=30),
    new=st.lists(st.sampled_from("abcdef"), max_size=30),
)
def test_blocks_are_in_order_and_are_what_they_say(old: list[str], new: list[str]):
    at = (0, 0)
    for block in matching_blocks(old, new):
        assert block.size > 0
        assert block.old >= at[0]
        assert block.new >= at[1]
        at = (block.old + block.size, block.new + block.size)
        assert old[block.old : at[0]] == new[block.new : at[1]]


def test_a_long_sequence_is_divided_at_what_is_there_once():
    common = [f"anchor {number}" for number in range(200)]
    old = [item for anchor in common for item in (anchor, *["x"] * 15, "old", *["x"] * 15)]
    new = [item for anchor in common for item in (anchor, *["x"] * 15, "new", *["x"] * 15)]
    sizes = [block.size for block in matching_blocks(old, new)]
    assert sizes == [16, *[31] * 199, 15]
