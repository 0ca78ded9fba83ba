"""Ids, money, model references."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.errors import UsageError
from trimtab.testing import FrozenClock
from trimtab.types.ids import IdSource
from trimtab.types.money import format_usd
from trimtab.types.refs import ModelRef


def test_ids_sort_by_time_and_do_not_repeat():
    clock = FrozenClock()
    ids = IdSource(clock)
    made: list[str] = []
    for _ in range(1000):
        made.append(ids.new("inf"))
        clock.advance(0.001)
    assert made == sorted(made)
    at_once = {ids.new("inf") for _ in range(1000)}
    assert len(at_once) == 1000
    assert {len(name) for name in [*made, *at_once]} == {36}


@pytest.mark.parametrize(
    ("nanousd", "text"),
    [
        (0, "$0"),
        (1, "$0.000000001"),
        (75, "$0.000000075"),
        (1_234_567, "$0.001235"),
        (12_340_000_000, "$12.34"),
        (1_234_567_890_000_000, "$1,234,567.89"),
        (-12_340_000_000, "-$12.34"),
        (500_000_000, "$0.5"),
    ],
)
def test_amounts_for_people(nanousd: int, text: str):
    assert format_usd(nanousd) == text


@given(st.integers(-(10**18), 10**18))
def test_every_amount_has_a_short_text(nanousd: int):
    text = format_usd(nanousd)
    assert text.lstrip("-").startswith("$")
    assert len(text) < 25


def test_model_references():
    assert ModelRef.parse("local:qwen:7b") == ("local", "qwen:7b")
    assert str(ModelRef("a", "b")) == "a:b"
    for wrong in ("", "model", ":model", "provider:"):
        with pytest.raises(UsageError, match="provider:model"):
            ModelRef.parse(wrong)
