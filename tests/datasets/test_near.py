"""Near duplicates: what is alike, what is not, and twenty thousand cases in seconds."""

import random
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.datasets.case import Case
from trimtab.datasets.near import NearGroup, find_near
from trimtab.errors import UsageError

STORY = (
    "I ordered a blue jacket three weeks ago and it has not come yet, the tracking page says that "
    "it left the warehouse on Monday, please tell me where it is and whether I get my money back"
)
DOCUMENT = " ".join(f"word{n} {n * 7 % 13} lorem" for n in range(400))


def case(name: str, messages: tuple[tuple[str, Any], ...] = (), **variables: Any) -> Case:
    said = [{"role": role, "content": content} for role, content in messages]
    return Case(id=name, variables=variables, messages=said)


def test_the_same_words_are_alike_whatever_stands_between():
    cases = [
        case("a", ticket="Where is my refund?"),
        case("b", ticket="Something else entirely, please"),
        case("c", ticket="where is   MY refund"),
    ]
    assert find_near(cases) == [NearGroup(["a", "c"], 1.0)]


def test_a_changed_word_of_many_is_alike_and_the_similarity_is_that_of_the_pairs():
    cases = [case("a", ticket=STORY), case("b", ticket=STORY.replace("jacket", "coat"))]
    ((ids, similarity),) = find_near(cases)
    assert ids == ["a", "b"]
    pairs = len(STORY.split()) - 1
    assert similarity == pytest.approx((pairs - 2) / (pairs + 2))
    assert find_near(cases, least=0.99) == []


def test_different_questions_about_one_document_are_not_alike():
    cases = [
        case("a", document=DOCUMENT, question="When does the contract end?"),
        case("b", document=DOCUMENT, question="Who pays for the repairs of the roof?"),
        case("c", document=DOCUMENT, question="When does the contract end?"),
    ]
    assert find_near(cases) == [NearGroup(["a", "c"], 1.0)]


def test_only_cases_with_the_same_fields_are_compared():
    cases = [
        case("a", ticket=STORY),
        case("b", ticket=STORY, locale="de"),
        case("c", text=STORY),
        case("d", (("user", STORY),)),
        case("e", (("system", STORY),)),
        case("f", (("user", STORY), ("user", "Hello"))),
    ]
    assert find_near(cases) == []


def test_parts_of_messages_are_compared():
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    other = {"type": "image_url", "image_url": {"url": "data:image/png;base64,BBBB"}}
    text = {"type": "text", "text": "What does this show?"}
    cases = [
        case("a", (("user", [text, image]),)),
        case("b", (("user", [text, other]),)),
        case("c", (("user", [text, image]),)),
    ]
    assert find_near(cases) == [NearGroup(["a", "c"], 1.0)]


def test_values_that_are_no_text_are_compared_as_json():
    cases = [
        case("a", items=[1, {"b": None}], n=5),
        case("b", items=[1, {"b": None}], n=5),
        case("c", items=[1, {"b": None}], n=6),
    ]
    assert find_near(cases) == [NearGroup(["a", "b"], 1.0)]


def test_scripts_without_spaces_are_compared_by_character():
    cases = [
        case(
            "a", ticket="\u8bf7\u95ee\u6211\u7684\u8ba2\u5355\u4ec0\u4e48\u65f6\u5019\u5230\u8d27"
        ),
        case(
            "b", ticket="\u8bf7\u95ee\u6211\u7684\u8ba2\u5355\u4ec0\u4e48\u65f6\u5019\u53d1\u8d27"
        ),
        case(
            "c", ticket="\u5929\u6c14\u5f88\u597d\u6211\u4eec\u53bb\u516c\u56ed\u6563\u6b65\u5427"
        ),
    ]
    ((ids, _),) = find_near(cases, least=0.6)
    assert ids == ["a", "b"]


@pytest.mark.parametrize("text", ["", "!!!", "\u2014", "   "])
def test_texts_without_words_are_alike_only_with_themselves(text: str):
    cases = [case("a", ticket=text), case("b", ticket="?"), case("c", ticket=text)]
    assert find_near(cases) == [NearGroup(["a", "c"], 1.0)]


def test_a_group_is_what_hangs_together():
    words = [f"w{n}" for n in range(60)]
    first, second, third = words[:50], words[4:54], words[8:58]
    cases = [
        case(name, t=" ".join(own)) for name, own in zip("abc", (first, second, third), strict=True)
    ]
    ((ids, similarity),) = find_near(cases, least=0.8)
    assert ids == ["a", "b", "c"]
    assert similarity == pytest.approx(45 / 53)
    assert find_near([cases[0], cases[2]], least=0.8) == []


@pytest.mark.parametrize("least", [0, -1, 1.1, float("nan")])
def test_a_similarity_out_of_range_is_refused(least: float):
    with pytest.raises(UsageError, match="out of range"):
        find_near([], least=least)


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=6), max_size=8), st.randoms())
def test_the_order_of_cases_does_not_matter(texts: list[list[str]], mixer: random.Random):
    cases = [case(f"c{n}", t=" ".join(text)) for n, text in enumerate(texts)]
    mixed = list(cases)
    mixer.shuffle(mixed)
    exact = {frozenset(group.ids) for group in find_near(cases, least=1)}
    assert exact == {frozenset(group.ids) for group in find_near(mixed, least=1)}
    by_text: dict[str, set[str]] = {}
    for one in cases:
        by_text.setdefault(str(one.variables["t"]), set()).add(one.id)
    for ids in by_text.values():
        assert len(ids) == 1 or any(ids <= group for group in exact)


def sentence(source: random.Random, words: int) -> list[str]:
    return [f"w{source.randrange(5000)}" for _ in range(words)]


def test_what_is_alike_is_found():
    """Of pairs at the threshold one in 500 may be missed; here all are above it."""
    source = random.Random(7)
    cases: list[Case] = []
    for n in range(500):
        text = sentence(source, 60)
        other = list(text)
        for at in (10, 30, 50):
            other[at] = "changed"
        cases += [case(f"a{n}", t=" ".join(text)), case(f"b{n}", t=" ".join(other))]
    found = {tuple(group.ids) for group in find_near(cases)}
    assert found == {(f"a{n}", f"b{n}") for n in range(500)}


def check_strangers(count: int, most_s: float) -> None:
    """None are alike but ten, which are there twice."""
    source = random.Random(3)
    cases = [case(f"c{n}", t=" ".join(sentence(source, 80)), locale="de") for n in range(count)]
    cases += [case(f"d{n}", **cases[n].variables) for n in range(10)]
    begun = time.process_time()
    found = find_near(cases)
    took_s = time.process_time() - begun
    assert [group.ids for group in found] == [[f"c{n}", f"d{n}"] for n in range(10)]
    assert took_s < most_s


def test_thousands_of_cases_take_no_more_than_their_number():
    check_strangers(5_000, 3)


@pytest.mark.soak
def test_twenty_thousand_cases_take_seconds():
    check_strangers(20_000, 12)


def check_template(count: int, most_s: float) -> None:
    """All share most of their words and none are alike: the worst that can be."""
    source = random.Random(5)
    frame = sentence(source, 40)
    cases = [case(f"c{n}", t=" ".join([*frame, *sentence(source, 25)])) for n in range(count)]
    begun = time.process_time()
    assert find_near(cases) == []
    assert time.process_time() - begun < most_s


def test_cases_of_one_template_take_no_more_than_their_number():
    check_template(3_000, 4)


@pytest.mark.soak
def test_twenty_thousand_cases_of_one_template_take_seconds():
    check_template(20_000, 30)
