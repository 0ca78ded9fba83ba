"""Requests: read a few fields, keep the caller's bytes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.errors import MalformedRequest
from trimtab.providers.wire.chat_request import parse_request, upstream_body

MESSAGES = [{"role": "user", "content": 'the "model": "fast" and \\"model\\": "fast"'}]


def encode(**fields: Any) -> bytes:
    return json.dumps({"messages": MESSAGES, "model": "fast"} | fields).encode()


def sent(body: bytes, model: str = "gpt-x") -> bytes:
    return upstream_body(body, parse_request(body), model)


def test_bytes_pass_untouched_when_nothing_has_to_change():
    body = b'{"model":"gpt-x", "messages":[], "temperature":0.10000000000000000001, "x": 1e400}'
    assert sent(body) == body


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"tools": [{"model": "fast"}]},
        {"metadata": {"model": "fast"}},
        {"temperature": 0.1},
        {"messages": [{"role": "user", "content": "fast"}]},
    ],
)
def test_only_the_top_level_model_is_replaced(extra: dict[str, Any]):
    body = encode(**extra)
    assert json.loads(sent(body)) == json.loads(body) | {"model": "gpt-x"}


def test_t21_number_precision_and_key_order_survive_the_change_of_model():
    body = b'{"z": 1.10, "model" : "fast", "messages": [], "seed": 12345678901234567890.5}'
    assert sent(body) == body.replace(b'"fast"', b'"gpt-x"')


def test_of_doubled_models_the_provider_sees_one():
    body = b'{"model":"cheap","messages":[],"model":"fast"}'
    assert json.loads(sent(body)) == {"model": "gpt-x", "messages": []}
    assert sent(body).count(b'"model"') == 1


@pytest.mark.parametrize("options", ["absent", None, {}, {"include_usage": False}, {"x": 1}])
def test_t04_usage_is_always_asked_for_in_streams(options: Any):
    fields: dict[str, Any] = {"stream": True} | (
        {} if options == "absent" else {"stream_options": options}
    )
    out = json.loads(sent(encode(**fields)))
    assert out["stream_options"]["include_usage"] is True
    if options == {"x": 1}:
        assert out["stream_options"]["x"] == 1


def test_nothing_is_added_to_a_request_that_is_not_streamed():
    assert "stream_options" not in json.loads(sent(encode(stream=False)))


@given(st.text(), st.text(min_size=1))
def test_any_text_and_any_alias_survive(text: str, alias: str):
    fields: dict[str, Any] = {
        "messages": [{"role": "user", "content": text}],
        "model": alias,
        "stream": True,
    }
    out = json.loads(sent(json.dumps(fields).encode()))
    assert out == fields | {"model": "gpt-x", "stream_options": {"include_usage": True}}


@pytest.mark.parametrize(
    ("body", "param", "said"),
    [
        (b"", None, "not valid JSON"),
        (b"{", None, "not valid JSON"),
        (b"\xff\xfe", None, "not valid JSON"),
        (b"[]", None, "Expected `object`"),
        (b'{"messages":[]}', "model", "model"),
        (b'{"model":"m"}', "messages", "messages"),
        (b'{"model":3,"messages":[]}', "model", "Expected `str`"),
        (b'{"model":"m","messages":{}}', "messages", "array"),
        (b'{"model":"m","messages":[],"stream":"secret-text"}', "stream", "Expected `bool"),
    ],
)
def test_bad_requests_name_the_field_and_never_quote_the_text(
    body: bytes, param: str | None, said: str
):
    with pytest.raises(MalformedRequest) as caught:
        parse_request(body)
    assert caught.value.param == param
    assert said in str(caught.value)
    assert "secret-text" not in str(caught.value)


def test_user_and_session_are_read_from_openais_fields():
    request = parse_request(encode(user="u", metadata={"session_id": "s", "x": 1}))
    assert (request.end_user, request.session) == ("u", "s")
    assert parse_request(encode(user="u", safety_identifier="i")).end_user == "i"
