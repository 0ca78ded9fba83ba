"""What each error of a provider is a sign of."""

import json

import pytest

from trimtab.errors import ProviderRefused, Remedy
from trimtab.gateway.refusal import in_band_refusal, read_whole
from trimtab.providers.wire.chat_errors import remedy_of


@pytest.mark.parametrize(
    ("status", "word", "remedy"),
    [
        (429, "rate_limit_exceeded", "retry"),
        (429, "insufficient_quota", "fail_over"),
        (429, "", "retry"),
        (500, "", "retry"),
        (503, "", "retry"),
        (529, "overloaded_error", "retry"),
        (408, "", "retry"),
        (402, "", "fail_over"),
        (404, "model_not_found", "fail_over"),
        (400, "context_length_exceeded", "larger"),
        (400, "content_filter", "final"),
        (400, "invalid_request_error", "caller"),
        (400, "", "caller"),
        (413, "", "caller"),
        (422, "", "caller"),
    ],
)
def test_t15_retry_classes(status: int, word: str, remedy: Remedy):
    assert remedy_of(status, word, b"{}") == remedy


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("This model's maximum context length is 4096 tokens.", "larger"),
        ("the request exceeds the available context size", "larger"),
        ("prompt is too long: 210000 tokens > 200000 maximum", "larger"),
        ("The response was filtered due to Azure OpenAI's content management policy", "final"),
        ("unknown parameter", "caller"),
    ],
)
def test_servers_without_a_telling_word_are_read_by_their_phrases(text: str, remedy: Remedy):
    body = json.dumps({"error": {"message": text, "type": "BadRequestError", "code": 400}})
    assert remedy_of(400, "400", body.encode()) == remedy


def test_a_phrase_in_an_error_of_the_server_is_not_a_sign():
    assert remedy_of(500, "", b"cannot load the context window") == "retry"


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        ({"message": "busy", "type": "overloaded_error"}, "retry"),
        ({"message": "busy", "code": 529}, "retry"),
        ({"message": "no", "type": "invalid_request_error"}, "caller"),
        ({"message": "maximum context length is 10", "type": "BadRequestError"}, "larger"),
        ({"message": "?"}, "retry"),
    ],
)
def test_t03_errors_in_a_stream_are_told_apart_as_well(error: dict[str, object], remedy: Remedy):
    assert in_band_refusal(json.dumps(error).encode()).remedy == remedy


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({b"retry-after": b"2"}, 2.0),
        ({b"retry-after-ms": b"250", b"retry-after": b"1"}, 0.25),
        ({b"retry-after-ms": b"soon", b"retry-after": b"1"}, 1.0),
        ({b"retry-after": b"Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({b"retry-after": b"-1"}, None),
        ({b"retry-after": b"nan"}, None),
        ({b"retry-after": b"inf"}, None),
        ({b"retry-after": b"9" * 400}, None),
    ],
)
def test_t13_when_the_provider_wants_to_be_asked_again(
    headers: dict[bytes, bytes], wait_s: float | None
):
    with pytest.raises(ProviderRefused) as caught:
        read_whole(429, headers, b"{}", stream_wanted=False)
    assert caught.value.wait_s == wait_s
