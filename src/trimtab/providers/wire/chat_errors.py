"""Errors of OpenAI's chat completions, and what each is a sign of. Data, and one look-up.

Sources: OpenAI, "Error codes"; Azure OpenAI, "Content filtering"; vLLM, SGLang and llama.cpp
servers, whose errors have OpenAI's shape with other words; Anthropic, "Errors" (529, and the type
`overloaded_error`), which compatible servers in front of Claude pass on.
"""

from typing import Final

from trimtab.errors import Remedy

__all__ = ["remedy_of"]

# The first that fits counts: word, then phrase, then status.
_BY_WORD: Final[dict[str, Remedy]] = {
    "insufficient_quota": "fail_over",
    "billing_hard_limit_reached": "fail_over",
    "billing_not_active": "fail_over",
    "account_deactivated": "fail_over",
    "model_not_found": "fail_over",
    "DeploymentNotFound": "fail_over",
    "context_length_exceeded": "larger",
    "string_above_max_length": "larger",
    "exceed_context_size_error": "larger",
    "content_filter": "final",
    "content_policy_violation": "final",
    "ResponsibleAIPolicyViolation": "final",
    "rate_limit_exceeded": "retry",
    "rate_limit_error": "retry",
    "tokens": "retry",
    "requests": "retry",
    "overloaded_error": "retry",
    "overloaded": "retry",
    "engine_overloaded": "retry",
    "server_error": "retry",
    "api_error": "retry",
    "internal_error": "retry",
    "InternalServerError": "retry",
    "timeout": "retry",
    "529": "retry",
}
# In the text of a refused request (400, 413, 422), for servers that give no telling word.
_BY_PHRASE: Final[tuple[tuple[bytes, Remedy], ...]] = (
    (b"maximum context length", "larger"),
    (b"context window", "larger"),
    (b"context size", "larger"),
    (b"prompt is too long", "larger"),
    (b"content management policy", "final"),
    (b"content policy", "final"),
)
_BY_STATUS: Final[dict[int, Remedy]] = {
    402: "fail_over",
    404: "fail_over",
    408: "retry",
    409: "retry",
    425: "retry",
    429: "retry",
}
_REFUSED_REQUEST: Final = frozenset((400, 413, 422))


def remedy_of(status: int, word: str, body: bytes, *, in_band: bool = False) -> Remedy:
    """What may help after an error.

    Args:
        status: HTTP status that the provider gave.
        word: the error's code, else its type, else "".
        body: the error as it came; searched for a few phrases.
        in_band: the error came with status 200, whole or inside a stream.
    """
    known = _BY_WORD.get(word)
    if known is not None:
        return known
    if in_band or status in _REFUSED_REQUEST:
        text = body.lower()
        for phrase, remedy in _BY_PHRASE:
            if phrase in text:
                return remedy
    if in_band:
        return "caller" if word == "invalid_request_error" else "retry"
    return _BY_STATUS.get(status) or ("retry" if status >= 500 else "caller")
