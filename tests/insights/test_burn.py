"""Rates and dates of exhaustion, in round figures."""

from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.config.money import Budget, UserClass
from trimtab.insights.burn import Spent, burn, burns_of
from trimtab.types.clock import NS_PER_S

DAY_NS = 86_400 * NS_PER_S
USD = 1_000_000_000
BEGIN_NS = 20_000 * DAY_NS
MONTH_NS = 30 * DAY_NS


def test_twice_too_fast() -> None:
    found = burn(
        300 * USD,
        200 * USD,
        begin_ns=BEGIN_NS,
        end_ns=BEGIN_NS + MONTH_NS,
        now_ns=BEGIN_NS + 10 * DAY_NS,
    )
    assert found.per_day_nanousd == 20 * USD
    assert found.times_sustainable == pytest.approx(4)  # 5 a day would be left
    assert found.exhausted_ns == BEGIN_NS + 15 * DAY_NS


def test_it_lasts() -> None:
    found = burn(
        300 * USD,
        90 * USD,
        begin_ns=BEGIN_NS,
        end_ns=BEGIN_NS + MONTH_NS,
        now_ns=BEGIN_NS + 10 * DAY_NS,
    )
    assert found.times_sustainable == pytest.approx(9 / 10.5)
    assert found.exhausted_ns is None


def test_the_last_day_tells_of_a_change() -> None:
    found = burn(
        300 * USD,
        90 * USD,
        begin_ns=BEGIN_NS,
        end_ns=BEGIN_NS + MONTH_NS,
        now_ns=BEGIN_NS + 10 * DAY_NS,
        recent=(42 * USD, DAY_NS),
    )
    assert found.per_day_nanousd == 42 * USD
    assert found.exhausted_ns == BEGIN_NS + 15 * DAY_NS


@pytest.mark.parametrize("spent_usd", [300, 301])
def test_nothing_is_left(spent_usd: int) -> None:
    now_ns = BEGIN_NS + 10 * DAY_NS
    found = burn(
        300 * USD,
        spent_usd * USD,
        begin_ns=BEGIN_NS,
        end_ns=BEGIN_NS + MONTH_NS,
        now_ns=now_ns,
    )
    assert found.exhausted_ns == now_ns
    assert found.times_sustainable is None


def test_nothing_was_spent() -> None:
    found = burn(300 * USD, 0, begin_ns=BEGIN_NS, end_ns=BEGIN_NS + MONTH_NS, now_ns=BEGIN_NS)
    assert (found.per_day_nanousd, found.times_sustainable, found.exhausted_ns) == (0, 0, None)


def rolling(spent_usd: int, recent_usd: int | None = None) -> int | None:
    now_ns = BEGIN_NS + 10 * DAY_NS
    recent = None if recent_usd is None else (recent_usd * USD, DAY_NS)
    found = burn(
        100 * USD,
        spent_usd * USD,
        begin_ns=BEGIN_NS,
        end_ns=now_ns,
        now_ns=now_ns,
        recent=recent,
    )
    return None if found.exhausted_ns is None else found.exhausted_ns - now_ns


def test_in_a_rolling_window_old_spending_leaves() -> None:
    assert rolling(90) is None  # 9 a day come, and 9 leave
    assert rolling(90, 8) is None
    assert rolling(90, 14) == 2 * DAY_NS  # 5 a day more than leave
    assert rolling(50, 9) is None  # only after the window has turned over
    assert rolling(100, 0) == 0


def test_the_rate_that_a_rolling_window_sustains() -> None:
    now_ns = BEGIN_NS + 10 * DAY_NS
    found = burn(
        100 * USD,
        90 * USD,
        begin_ns=BEGIN_NS,
        end_ns=now_ns,
        now_ns=now_ns,
        recent=(14 * USD, DAY_NS),
    )
    assert found.times_sustainable == pytest.approx(1.4)


def test_who_is_out_of_the_budget_first() -> None:
    budget = Budget(
        per="user",
        window="month",
        limit_usd=Decimal(300),
        class_limits_usd={"pro": Decimal(3_000)},
        name_limits_usd={"ben": Decimal(30)},
    )
    now_ns = BEGIN_NS + 10 * DAY_NS
    costs = {"": 90, "ana": 200, "ben": 20, "cleo": 300, "pro-dan": 200, "eve": 90, "finn": 0}
    spent = Spent({name: usd * USD for name, usd in costs.items()}, BEGIN_NS, BEGIN_NS + MONTH_NS)
    classes = {"pro": UserClass(users=("pro-*",))}
    found = burns_of(budget, spent, now_ns=now_ns, classes=classes)
    names = [one.name for one in found]
    assert names == ["cleo", "ana", "ben", "", "eve", "pro-dan", "finn"]
    assert [one.burn.exhausted_ns for one in found[:3]] == [
        now_ns,
        BEGIN_NS + 15 * DAY_NS,
        BEGIN_NS + 15 * DAY_NS,
    ]
    recent = Spent({"eve": 105 * USD}, now_ns - DAY_NS, now_ns)
    first, second, *_ = burns_of(budget, spent, now_ns=now_ns, recent=recent, classes=classes)
    assert (first.name, second.name) == ("cleo", "eve")
    assert second.burn.exhausted_ns == now_ns + 2 * DAY_NS


def test_not_all_have_limits() -> None:
    spent = Spent({"": 5 * USD, "key_1": USD}, BEGIN_NS, BEGIN_NS + DAY_NS)
    now_ns = BEGIN_NS + DAY_NS // 2
    total = Budget(per="total", window="day", limit_usd=Decimal(10))
    [everything] = burns_of(total, Spent({"": 5 * USD}, *spent[1:]), now_ns=now_ns)
    assert everything.burn.exhausted_ns == BEGIN_NS + DAY_NS
    some = Budget(per="key", window="day", name_limits_usd={"key_2": Decimal(1)})
    assert burns_of(some, spent, now_ns=now_ns) == []


@given(
    limit=st.integers(1, 10**18),
    spent=st.integers(0, 10**18),
    passed_ns=st.integers(1, 10**16),
    left_ns=st.integers(1, 10**16),
)
def test_at_that_moment_the_limit_is_reached_and_not_before(
    limit: int, spent: int, passed_ns: int, left_ns: int
) -> None:
    now_ns = BEGIN_NS + passed_ns
    found = burn(limit, spent, begin_ns=BEGIN_NS, end_ns=now_ns + left_ns, now_ns=now_ns)
    rate = Fraction(spent, passed_ns)
    if spent >= limit:
        assert found.exhausted_ns == now_ns
    elif found.exhausted_ns is None:
        assert spent + rate * left_ns < limit
    else:
        after_ns = found.exhausted_ns - now_ns
        assert after_ns <= left_ns
        assert spent + rate * (after_ns - 1) < limit <= spent + rate * after_ns
    assert found.per_day_nanousd == ceil(rate * DAY_NS)
