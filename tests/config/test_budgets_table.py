"""`[budgets]`, `[limits]`, `[classes]` and `[spend]` in the file."""

from pathlib import Path

import pytest

from config.projects import MINIMAL, load
from trimtab.config.money import UserClass, class_of, with_class
from trimtab.errors import ConfigError, MalformedRequest
from trimtab.types.identity import Caller

FREE = '[classes.free]\nusers = ["free-*"]\n'


def budget(**fields: str) -> str:
    values = {"per": '"user"', "window": '"day"'} | fields
    return "[budgets.b]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())


def test_an_amount_is_the_most_special_one_in_whole_nano_dollars(tmp_path: Path):
    text = budget(
        limit_usd="0.0000000019",
        class_limits_usd="{free = 1}",
        name_limits_usd="{free-vip = 0}",
    )
    found = load(tmp_path, MINIMAL + text + FREE).budgets["b"]
    assert found.limit_nanousd("ana", "") == 1, "rounded down"
    assert found.limit_nanousd("free-1", "free") == 10**9
    assert found.limit_nanousd("free-vip", "free") == 0
    only = load(tmp_path, MINIMAL + budget(name_limits_usd="{ana = 2}")).budgets["b"]
    assert only.limit_nanousd("ben", "") is None


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"limit_usd": "-1"}, "limit_usd"),
        ({"limit_usd": "inf"}, "limit_usd"),
        ({"limit_usd": "nan"}, "limit_usd"),
        ({"class_limits_usd": "{free = -0.5}"}, "class_limits_usd.free"),
        ({"name_limits_usd": "{ana = inf}"}, "name_limits_usd.ana"),
        ({}, "b"),
        ({"limit_usd": "1", "class_limits_usd": "{gold = 1}"}, "class_limits_usd"),
        ({"class_limits_usd": "{free = 1}", "per": '"key"'}, "class_limits_usd"),
        ({"name_limits_usd": "{ana = 1}", "per": '"total"'}, "name_limits_usd"),
        ({"limit_usd": "1", "window": '"year"'}, "window"),
        ({"limit_usd": "1", "over": '"ignore"'}, "over"),
        ({"limit_usd": "1", "warn_at": "[1.5]"}, "warn_at"),
    ],
)
def test_a_budget_that_cannot_be_is_told_with_its_place(
    tmp_path: Path, fields: dict[str, str], where: str
):
    with pytest.raises(ConfigError, match=rf"budgets\.(b\.)?{where}"):
        load(tmp_path, MINIMAL + budget(**fields) + FREE)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[limits.l]\nper = "user"\n', "limits nothing"),
        ('[limits.l]\nper = "user"\nconcurrent = 1\nclasses = ["gold"]\n', "no class of users"),
        ('[limits.l]\nper = "user"\nconcurrent = 0\n', "concurrent"),
        ("[classes.c]\n", "nobody belongs"),
        ('[spend]\ntime_zone = "Europe/Nowhere"\n', "no time zone"),
        ('[spend]\ntime_zone = "../etc/passwd"\n', "no time zone"),
        ('[spend]\ntime_zone = "Europe"\n', "no time zone"),
        ('[spend]\ntime_zone = ""\n', "no time zone"),
    ],
)
def test_other_mistakes_are_told(tmp_path: Path, text: str, problem: str):
    with pytest.raises(ConfigError, match=problem):
        load(tmp_path, MINIMAL + text)


CLASSES = {
    "vip": UserClass(users=("ana", "b?n")),
    "free": UserClass(users=("free-*",), teams=("trial",), keys=("key_1",)),
}


@pytest.mark.parametrize(
    ("caller", "found"),
    [
        (Caller(user="ana", team="trial"), "vip"),
        (Caller(user="ben"), "vip"),
        (Caller(user="free-7"), "free"),
        (Caller(team="trial"), "free"),
        (Caller(key_id="key_1"), "free"),
        (Caller(user="Ana"), ""),
        (Caller(), ""),
    ],
)
def test_the_first_class_that_matches_counts(caller: Caller, found: str):
    assert class_of(caller, CLASSES) == found
    assert with_class(caller, CLASSES).user_class == found


def test_a_caller_may_name_a_class_of_the_project_and_no_other():
    named = Caller(user="ana", user_class="free")
    assert with_class(named, CLASSES) is not None
    assert with_class(named, CLASSES).user_class == "free"
    with pytest.raises(MalformedRequest, match="none yet"):
        with_class(named, {})
    assert with_class(Caller(user="ana"), {}) == Caller(user="ana")
