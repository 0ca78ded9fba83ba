"""What production sees, and what a suite tries of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.datasets.case import Case
from trimtab.datasets.coverage import measure_coverage
from trimtab.errors import UsageError

TAGS = st.sampled_from(["a", "b", "c", "d"])


def case(number: int, *tags: str) -> Case:
    return Case(id=f"c{number}", variables={"x": number}, tags=list(tags))


def test_what_is_missing_comes_with_its_share():
    cases = [case(1, "billing"), case(2, "billing", "german"), case(3, "legal"), case(4)]
    found = measure_coverage(cases, {"billing": 500, "shipping": 300, "german": 100}, 1000)
    assert [(one.tag, one.inferences, one.cases) for one in found.tags] == [
        ("billing", 500, 2),
        ("shipping", 300, 0),
        ("german", 100, 1),
        ("legal", 0, 1),
    ]
    assert [one.traffic_share for one in found.tags] == [0.5, 0.3, 0.1, 0.0]
    assert [one.case_share for one in found.tags] == [0.5, 0.0, 0.25, 0.25]
    assert found.tags[1].difference == -0.3
    assert [one.tag for one in found.missing] == ["shipping"]
    assert [one.tag for one in found.unseen] == ["legal"]
    assert (found.inferences, found.cases, found.untagged_cases) == (1000, 4, 1)


def test_without_a_total_each_inference_has_one_tag():
    found = measure_coverage([case(1, "a")], {"a": 30, "b": 10})
    assert found.inferences == 40
    assert found.tags[0].traffic_share == 0.75


def test_nothing_is_compared_with_nothing():
    found = measure_coverage([], {})
    assert (found.tags, found.missing, found.unseen) == ([], [], [])
    assert measure_coverage([], {"a": 0}).tags[0].traffic_share == 0.0


@pytest.mark.parametrize("traffic", [{"a": -1}, {"a": 11}])
def test_counts_that_cannot_be(traffic: dict[str, int]):
    with pytest.raises(UsageError, match="cannot have the tag 'a'"):
        measure_coverage([], traffic, 10)


@given(st.lists(st.lists(TAGS)), st.dictionaries(TAGS, st.integers(0, 100)))
def test_every_tag_is_there_once(tags: list[list[str]], traffic: dict[str, int]):
    cases = [case(number, *own) for number, own in enumerate(tags)]
    found = measure_coverage(cases, traffic)
    names = [one.tag for one in found.tags]
    assert sorted(names) == sorted({tag for own in tags for tag in own} | traffic.keys())
    assert all(0 <= one.case_share <= 1 and 0 <= one.traffic_share <= 1 for one in found.tags)
    counts = [one.inferences for one in found.tags]
    assert counts == sorted(counts, reverse=True)
    assert not {one.tag for one in found.missing} & {one.tag for one in found.unseen}
