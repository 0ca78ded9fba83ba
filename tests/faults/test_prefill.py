"""The fault provider goes on from an assistant message, or refuses it, and changes on demand."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from trimtab.testing import Behaviour, FaultProvider, running_fault_provider
from trimtab.testing.scorecard.case import whole_text

WHOLE = whole_text(12)


def ask(base_url: str, prefill: str = "", **fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "hi"}]
    if prefill:
        messages.append({"role": "assistant", "content": prefill})
    body = json.dumps({"model": "m", "messages": messages, **fields}).encode()
    with urlopen(Request(f"{base_url}/chat/completions", data=body)) as answer:
        return json.load(answer)


def said(answer: dict[str, Any]) -> str:
    return answer["choices"][0]["message"]["content"] or ""


@pytest.mark.parametrize("tokens", range(13))
def test_it_goes_on_where_the_assistant_message_ends(tokens: int) -> None:
    begun = whole_text(tokens)
    with running_fault_provider() as provider:
        answer = ask(provider.base_url, begun)
    assert begun + said(answer) == WHOLE
    assert answer["usage"]["completion_tokens"] == 12 - tokens
    assert answer["choices"][0]["finish_reason"] == "stop"


def test_the_limit_counts_what_is_new() -> None:
    with running_fault_provider() as provider:
        answer = ask(provider.base_url, whole_text(4), max_tokens=3)
    assert whole_text(4) + said(answer) == whole_text(7)
    assert answer["choices"][0]["finish_reason"] == "length"


def test_another_text_is_not_its_beginning() -> None:
    with running_fault_provider() as provider:
        assert said(ask(provider.base_url, "Dear Sir,")) == WHOLE


def test_a_scripted_text_is_gone_on_with() -> None:
    with running_fault_provider(Behaviour(text="abcdef", tokens=6)) as provider:
        answer = ask(provider.base_url, "ab")
    assert said(answer) == "cdef"
    assert answer["usage"]["completion_tokens"] == 4


def test_it_may_refuse() -> None:
    with running_fault_provider(Behaviour(prefill="refuse")) as provider:
        assert said(ask(provider.base_url)) == WHOLE
        with pytest.raises(HTTPError) as refused:
            ask(provider.base_url, "the")
        assert refused.value.status == 400
        assert b"prefill" in refused.value.read()
        refused.value.close()


def test_a_model_changes_its_behaviour_on_demand() -> None:
    fault = FaultProvider(Behaviour(tokens=3))
    fault.play("m", Behaviour(tokens=1), Behaviour(tokens=2))
    turns = fault._stage.turns
    tokens = [behaviour.tokens for behaviour in map(turns.next, "mmmx") if behaviour is not None]
    assert tokens == [1, 2, 2, 3]
    fault.play("m", Behaviour(tokens=9))
    behaviour = turns.next("m")
    assert behaviour is not None
    assert behaviour.tokens == 9
    with pytest.raises(ValueError, match="at least one"):
        fault.play("m")
