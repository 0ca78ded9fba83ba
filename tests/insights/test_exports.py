"""Reading exports: every format, and every way in which a file can be wrong."""

import json
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.exported import (
    CSV_COLUMNS,
    DAY_ZERO_S,
    Call,
    anthropic_costs,
    anthropic_page,
    anthropic_usage,
    openai_costs,
    openai_costs_csv,
    openai_page,
    openai_usage,
)
from trimtab.errors import UsageError
from trimtab.insights.exports.detect import parse_export
from trimtab.insights.exports.export import Export, nanousd_of
from trimtab.insights.exports.openai import model_of_item
from trimtab.insights.reconcile.match import grouped
from trimtab.types.clock import NS_PER_S

CALLS = [Call(), Call(model="gpt-y", written=9)]
NEXT_S = DAY_ZERO_S + 86_400
_Edit = Callable[[dict[str, Any]], Any]


def parse(page: Any) -> Export:
    content = page if isinstance(page, str) else json.dumps(page)
    return parse_export("f", content.encode())


def error_of(page: Any) -> str:
    with pytest.raises(UsageError) as caught:
        parse(page)
    return str(caught.value)


# ------------------------------------------------------------------ what is read


def test_openai_usage():
    page = openai_usage(CALLS)
    results = page["data"][0]["results"]
    results[0]["input_cache_write_tokens"] = 12
    del results[1]["input_cached_tokens"], results[1]["num_model_requests"]
    export = parse(page)
    assert (export.vendor, export.kind, export.more) == ("openai", "usage", False)
    assert export.periods == ((DAY_ZERO_S * NS_PER_S, NEXT_S * NS_PER_S),)
    first, second = export.usage
    assert (first.model, first.input_tokens, first.output_tokens) == (CALLS[0].model, 1_000, 300)
    assert (first.cache_read_tokens, first.cache_write_tokens, first.requests) == (200, 12, 1)
    assert (second.cache_read_tokens, second.cache_write_tokens) == (None, None)
    assert second.requests is None


def test_openai_calls_the_results_either_way():
    page = openai_usage(CALLS)
    bucket = page["data"][0]
    bucket["result"] = bucket.pop("results")
    bucket["result"][0] |= {"input_tokens": 7.0, "output_tokens": "8"}
    first, _ = parse(page).usage
    assert (first.input_tokens, first.output_tokens) == (7, 8)


def test_openai_usage_as_csv():
    text = (
        "start_time,end_time,num_model_requests,model,input_tokens,output_tokens,"
        "input_cached_tokens,project_id\n"
        f"{DAY_ZERO_S},{NEXT_S},3,gpt-x,100,20,50,\n"
        f"{DAY_ZERO_S},{NEXT_S},1,gpt-y,7,8,0,proj\n"
        f"{NEXT_S},{NEXT_S + 86_400},,,,,,\n"
    )
    export = parse("\ufeff" + text)
    assert (export.vendor, export.kind, len(export.periods)) == ("openai", "usage", 2)
    assert [(row.model, row.input_tokens, row.requests) for row in export.usage] == [
        ("gpt-x", 100, 3),
        ("gpt-y", 7, 1),
    ]


def test_openai_costs_as_json_and_as_csv_say_the_same():
    page, text = openai_costs(CALLS, (0, 1)), openai_costs_csv(CALLS, (0, 1))
    one, other = parse(page), parse(text)
    assert one.costs == other.costs
    assert one.periods == other.periods
    assert {row.model for row in one.costs} == {"gpt-x-2026-01-01", "gpt-y"}
    assert sum(row.amount_nanousd for row in one.costs) == 250_000


def test_anthropic_usage_adds_what_stands_beside():
    export = parse(anthropic_usage([Call(input=1_000, cached=200, written=100)], (0, 1)))
    assert (export.vendor, export.kind, len(export.periods)) == ("anthropic", "usage", 2)
    (row,) = export.usage
    assert (row.input_tokens, row.cache_read_tokens, row.cache_write_tokens) == (1_000, 200, 100)
    page = anthropic_usage([Call(input=1_000, cached=200)])
    page["data"][0]["results"][0]["cache_creation"] = None
    assert parse(page).usage[0].cache_write_tokens == 0


def test_anthropic_amounts_are_cents():
    page = anthropic_costs([Call(cents=Decimal("123.45"))])
    (row,) = parse(page).costs
    assert (row.model, row.item, row.amount_nanousd) == ("gpt-x-2026-01-01", "", 1_234_500_000)
    result = {"amount": "0.00012345", "currency": "USD"}
    (row,) = parse(anthropic_page([(0, [result])])).costs
    assert (row.model, row.item, row.amount_nanousd) == ("", "", 1_234)  # 1,234.5 to even
    search = result | {"cost_type": "web_search", "description": None, "model": "claude-x"}
    (row,) = parse(anthropic_page([(0, [search])], has_more=True)).costs
    assert (row.model, row.item) == ("", "web_search")


@pytest.mark.parametrize(
    ("item", "model"),
    [
        ("gpt-4.1-mini-2025-04-14, input", "gpt-4.1-mini-2025-04-14"),
        ("gpt-4.1-mini-2025-04-14, cached input", "gpt-4.1-mini-2025-04-14"),
        ("gpt-4.1-mini-2025-04-14, output", "gpt-4.1-mini-2025-04-14"),
        ("gpt-image-1 image, output", "gpt-image-1"),
        ("gpt-audio text, cached input", "gpt-audio"),
        ("ft:gpt-4.1-mini:shop, of us::abc, input", "ft:gpt-4.1-mini:shop, of us::abc"),
        ("web search tool calls", ""),
        ("Assistants API, file search", ""),
        ("gpt-x, ", ""),
        ("", ""),
    ],
)
def test_models_in_line_items(item: str, model: str):
    assert model_of_item(item) == model


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=12))
def test_amounts_are_the_nearest_nano_dollars(amount: Decimal):
    assert abs(Decimal(nanousd_of(amount)) - amount * 10**9) <= Decimal("0.5")


# ------------------------------------------------------------------ what is wrong


def change(page: dict[str, Any], edit: _Edit) -> dict[str, Any]:
    """A page with something wrong in its first result."""
    edit(page["data"][0]["results"][0])
    return page


WRONG_USAGE: list[tuple[_Edit, str]] = [
    (lambda row: row.update(input_tokens=-3), "tokens: expected a whole number, found -3"),
    (lambda row: row.update(input_tokens=1.5), "tokens: expected a whole number, found 1.5"),
    (lambda row: row.update(input_tokens=True), "expected a whole number, found True"),
    (lambda row: row.update(input_tokens="many"), "expected a whole number, found 'many'"),
    (lambda row: row.update(output_tokens=10**16), "output_tokens: expected a whole number"),
    (lambda row: row.update(input_tokens=[1]), "expected a whole number, found a list"),
    (lambda row: row.pop("output_tokens"), "data[0].results[0]: output_tokens is missing"),
    (lambda row: row.update(model=None), "ask with group_by=model"),
    (lambda row: row.update(model=5), "model: expected text"),
    (lambda row: row.update(object="organization.usage.images.result"),
     "'organization.usage.images.result' is neither usage of completions nor costs"),
    (lambda row: row.clear(), "object is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "words"), WRONG_USAGE)
def test_what_is_wrong_in_openai_usage(edit: _Edit, words: str):
    told = error_of(change(openai_usage(CALLS), edit))
    assert words in told
    assert told.startswith("f, data[0].results[0]")
    assert "Export it from the provider again" in told


WRONG_COSTS: list[tuple[_Edit, str]] = [
    (lambda row: row.update(amount=5), "amount: expected an object, found 5"),
    (lambda row: row["amount"].update(value="much"), "value: expected an amount, found 'much'"),
    (lambda row: row["amount"].update(value=True), "value: expected an amount, found True"),
    (lambda row: row["amount"].update(value="1e99"), "expected an amount, found '1e99'"),
    (lambda row: row["amount"].update(value="Infinity"), "expected an amount"),
    (lambda row: row["amount"].update(value={}), "expected an amount, found an object"),
    (lambda row: row["amount"].pop("currency"), "currency is missing"),
    (lambda row: row.update(line_item=["x" * 99]), "line_item: expected text"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "words"), WRONG_COSTS)
def test_what_is_wrong_in_openai_costs(edit: _Edit, words: str):
    assert words in error_of(change(openai_costs(CALLS), edit))


WRONG_ANTHROPIC: list[tuple[_Edit, str]] = [
    (lambda row: row.pop("cache_read_input_tokens"), "cache_read_input_tokens is missing"),
    (lambda row: row.update(model=None), "ask with group_by[]=model"),
    (lambda row: row["cache_creation"].update(ephemeral_5m_input_tokens=-1),
     "cache_creation.ephemeral_5m_input_tokens: expected a whole number"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "words"), WRONG_ANTHROPIC)
def test_what_is_wrong_in_anthropic_usage(edit: _Edit, words: str):
    assert words in error_of(change(anthropic_usage(CALLS), edit))


def bucket(start: object, end: object, key: str = "start_time") -> dict[str, Any]:
    other = "end_time" if key == "start_time" else "ending_at"
    return {
        "data": [{key: start, other: end, "results": openai_usage(CALLS)["data"][0]["results"]}]
    }


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("", "the file is empty"),
        (" \n", "the file is empty"),
        ("{", "f: line 1: it is not JSON"),
        ('{\n"data": [,]}', "f: line 2: it is not JSON"),
        ('{"data": NaN}', "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", "expected an object, found a list"),
        ("{}", "f: data is missing"),
        ({"data": {}}, "data: expected a list, found an object"),
        ({"data": []}, "it has no buckets"),
        ({"data": [{"a": 1}]}, "data[0]: a bucket of OpenAI's has start_time"),
        (openai_page([(0, [])]), "no bucket has a result"),
        (anthropic_page([(0, [])]), "no bucket has a result"),
        (bucket(DAY_ZERO_S, DAY_ZERO_S), "a bucket ends before it begins"),
        (bucket(DAY_ZERO_S + 1, NEXT_S + 1), "longer than one day of UTC"),
        (bucket(1 << 40, 1 << 41), "expected seconds since 1970"),
        (bucket("today", 5, "starting_at"), "expected a time such as 2026-10-01T00:00:00Z"),
        (bucket("1066-10-14T00:00:00Z", "x", "starting_at"), "expected a time after 1970"),
        ("a,b\n1,2\n", "it is neither JSON nor a CSV export"),
        (f"{CSV_COLUMNS}\n1,2,,,x,usd,,,,\n", "f, line 2, amount_value: expected an amount"),
        (f"{CSV_COLUMNS}\nx,2,,,1,usd,,,,\n", "f, line 2, start_time: expected a whole number"),
        (f"{CSV_COLUMNS}\n1,2,,,1,,,,,\n", "f, line 2: amount_currency is missing"),
        (f"{CSV_COLUMNS}\n{'x' * 200_000},2,,,1,,,,,\n", "field larger than field limit"),
    ],
)  # fmt: skip
def test_what_is_no_export(page: Any, words: str):
    assert words in error_of(page)


def test_usage_and_costs_in_one_page():
    page = openai_usage(CALLS)
    page["data"] += openai_costs(CALLS)["data"]
    assert "usage and costs in one page" in error_of(page)
    page = anthropic_usage(CALLS)
    page["data"] += anthropic_costs(CALLS)["data"]
    assert "usage and costs in one page" in error_of(page)


def test_what_is_not_utf_8():
    with pytest.raises(UsageError, match="f: line 2: it is not UTF-8"):
        parse_export("f", b"{\n\xff}")


def test_times_without_a_zone_are_utc_and_others_are_moved():
    page = anthropic_usage(CALLS)
    page["data"][0]["starting_at"] = page["data"][0]["starting_at"].removesuffix("Z")
    assert parse(page).periods[0].start_ns == DAY_ZERO_S * NS_PER_S
    page["data"][0]["starting_at"] += "-01:00"
    assert parse(page).periods[0].start_ns == (DAY_ZERO_S + 3_600) * NS_PER_S


def test_other_currencies_in_csv():
    line = f"{DAY_ZERO_S},{NEXT_S},,,1.5,eur,,,,\n"
    export = parse(f"{CSV_COLUMNS}\n{line}{line}")
    assert export.foreign == {"EUR": Decimal("3.0")}
    assert export.costs == ()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["data", "results", "start_time", "starting_at", "ending_at", "object",
                         "amount", "currency", "model"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["data", "has_more"]), json_values))
def test_nothing_but_the_one_error(page: dict[str, Any]):
    with suppress(UsageError):
        assert parse(page).usage


# ------------------------------------------------------------------ names of models

names = st.sets(st.sampled_from("abcdef"))


@given(names, names, st.sets(st.tuples(st.sampled_from("abcdefg"), st.sampled_from("abcdefg"))))
def test_every_model_is_in_one_group(
    theirs: set[str], ours: set[str], served: set[tuple[str, str]]
):
    groups = grouped(theirs, ours, served)
    assert sorted(name for group in groups for name in group.theirs) == sorted(theirs)
    assert sorted(name for group in groups for name in group.ours) == sorted(ours)
    place = {name: at for at, group in enumerate(groups) for name in group.theirs}
    mine = {name: at for at, group in enumerate(groups) for name in group.ours}
    for name in theirs & ours:
        assert place[name] == mine[name]
    for asked, by in served:
        if asked in ours and by in theirs:
            assert place[by] == mine[asked]
    for group in groups:  # nothing is joined without a reason
        if len(group.theirs) + len(group.ours) > 1:
            assert group.theirs
            assert group.ours
