"""What OpenAI writes is read by its types; whatever is read so is read the same field by field."""

from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trimtab.providers.usage import openai_chat
from trimtab.providers.usage.openai_chat import read_usage, reading_of
from trimtab.providers.usage.reading import Reading
from trimtab.providers.wire.chat_answer import read_answer

_ODDITIES: list[Any] = [None, True, -1, 1.0, "7", "x", 1 << 40, [], {}]
_ODD = st.sampled_from(_ODDITIES)
_COUNTS: st.SearchStrategy[Any] = st.integers(0, 40) | _ODD
_DETAILS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("cached_tokens", "cache_write_tokens", "audio_tokens", "reasoning_tokens", "other"),
        _COUNTS,
    ),
)
_USAGES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"prompt_tokens": st.integers(20, 60), "completion_tokens": st.integers(20, 60)},
    optional={
        "total_tokens": st.integers(40, 120) | _ODD,
        "prompt_tokens_details": _DETAILS | st.none(),
        "completion_tokens_details": _DETAILS | st.none(),
        "prompt_cache_hit_tokens": _COUNTS,
        "cached_tokens": _COUNTS,
        "reasoning_tokens": _COUNTS,
        "num_sources_used": _COUNTS,
        "cost": st.sampled_from([None, 0.25, 1]),
        "cost_in_usd_ticks": st.sampled_from([None, 5]),
        "unknown": _COUNTS,
    },
)
_OPENAI: dict[str, Any] = {
    "prompt_tokens": 40,
    "completion_tokens": 30,
    "total_tokens": 70,
    "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 12,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}


def _body(usage: dict[str, Any], *finishes: str | None) -> bytes:
    choices = [{"index": -at, "finish_reason": finish} for at, finish in enumerate(finishes)]
    said = {"model": "m", "service_tier": "Flex", "choices": choices, "usage": usage}
    return msgspec.json.encode(said)


def _read(usage: dict[str, Any]) -> Reading | None:
    return read_usage(_body(usage, "stop"))


def _unusual(_: dict[str, Any]) -> None:
    """Nothing is read by its types."""


def _filled(usage: dict[str, Any]) -> dict[str, Any]:
    """With the total that OpenAI would give, so that most are read by their types."""
    total = usage["prompt_tokens"] + usage["completion_tokens"]
    return {"total_tokens": total, **usage}


@given(_USAGES | _USAGES.map(_filled))
@example(_OPENAI)
def test_both_ways_read_the_same(usage: dict[str, Any]) -> None:
    by_types = _read(usage)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openai_chat, "_usual", _unusual)
        assert by_types == _read(usage)


@given(
    _USAGES | _USAGES.map(_filled), st.lists(st.sampled_from(["stop", "length", None]), max_size=3)
)
@example(_OPENAI, ["stop"])
@example(_OPENAI, ["stop", "length"])
def test_a_whole_answer_says_the_same_decoded_once(
    usage: dict[str, Any], finishes: list[str | None]
) -> None:
    body = _body(usage, *finishes)
    answer = read_answer(body)
    assert answer is not None
    assert reading_of(answer) == read_usage(body)


def test_what_openai_writes_is_read_by_its_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_chat, "_counts", None)  # calling it is a TypeError
    reading = _read(_OPENAI)
    assert reading is not None
    assert reading.usage is not None
    assert (reading.usage.input_tokens, reading.usage.cache_read_tokens) == (40, 8)
    assert (reading.usage.output_tokens, reading.usage.reasoning_tokens) == (30, 12)
    assert (reading.unreported, reading.final) == (frozenset(), True)


@pytest.mark.parametrize(
    "change",
    [
        {"total_tokens": 71},
        {"prompt_tokens_details": {"cached_tokens": 41}},
        {"prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 11}},
        {"completion_tokens_details": {"reasoning_tokens": 31}},
        {"prompt_cache_hit_tokens": 8},
        {"cost": 1},
    ],
)
def test_what_is_odd_is_looked_at_closely(
    change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_chat, "_counts", None)
    with pytest.raises(TypeError):
        _read(_OPENAI | change)
