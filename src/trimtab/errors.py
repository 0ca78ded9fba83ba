"""Everything that can go wrong, as one tree.

TrimtabError
├── UsageError                  the caller of a command or function asked for something impossible
├── ConfigError                 the project folder is wrong; carries every finding
├── RequestError                an HTTP request that cannot be served as it is
│   ├── MalformedRequest        not JSON, or a field of the wrong type
│   ├── UnknownModel            no route, alias or model of that name
│   ├── UnpricedModel           no price: refused, never free
│   ├── UnknownPrompt           no prompt of that name, or not in that version
│   ├── PromptNotReleased       the environment has no release of the prompt
│   ├── PromptVariables         the variables do not fit the prompt
│   ├── PromptTooLarge          rendering takes too much work, or gives too long a text
│   ├── BudgetExceeded          a budget is used up until its window ends
│   ├── BudgetBusy              what is left of a budget is held by requests under way
│   ├── RateLimited             too many requests or tokens a minute, or requests at once
│   ├── UnknownInference        feedback on what is not on record, or not over
│   ├── UnknownMetric           feedback by a metric that the project does not declare
│   ├── InvalidToken            a feedback token that is not ours, or too old
│   ├── InvalidKey              missing, unknown or revoked key
│   ├── ForbiddenOrigin         a browser page or a foreign host name reached an open gateway
│   ├── UnknownPath             no such route
│   ├── MethodNotAllowed        the path exists, the method does not
│   ├── IdempotencyConflict     its Idempotency-Key belongs to another request
│   ├── RequestTooLarge         body over the limit
│   └── HeadersTooLarge         headers over the limit
├── ProviderError               one attempt failed; its `remedy` says what to do next
│   ├── ProviderUnreachable     DNS, connect, TLS, reset before an answer
│   ├── ProviderBusy            as many calls at a time as it may have, and as many waiting
│   ├── ProviderTimeout         connect, first token, idle or total limit
│   ├── ProviderRefused         an error status or in-band error of the provider
│   ├── ProviderRejectedKey     the provider does not accept *our* key
│   ├── ProviderGarbage         what came back is not the wire format
│   ├── ProviderTruncated       the answer ended before it was finished
│   └── ProviderUnfit           the answer has not the form that the prompt declares
├── RouteUnavailable            every model of the route is left alone for now
├── Superseded                  another attempt of the inference was faster
├── CallerGone                  the caller closed the connection
├── Overloaded                  a bounded queue is full
├── ShuttingDown                told to stop; not taking new work
└── StoreError
    ├── LedgerUnavailable       disk full, locked: nothing unrecorded is served
    └── LedgerDamaged           verification found something wrong

`REPLIES` gives each class its HTTP status, OpenAI error type and code, exit code and log level;
a test asserts that every class has a row.
"""

import logging
from typing import Literal, NamedTuple

from typing_extensions import override

__all__ = [
    "REPLIES",
    "BudgetBusy",
    "BudgetExceeded",
    "CallerGone",
    "ConfigError",
    "Finding",
    "ForbiddenOrigin",
    "HeadersTooLarge",
    "IdempotencyConflict",
    "InvalidKey",
    "InvalidToken",
    "LedgerDamaged",
    "LedgerUnavailable",
    "MalformedRequest",
    "MethodNotAllowed",
    "Overloaded",
    "PromptNotReleased",
    "PromptTooLarge",
    "PromptVariables",
    "ProviderBusy",
    "ProviderError",
    "ProviderGarbage",
    "ProviderRefused",
    "ProviderRejectedKey",
    "ProviderTimeout",
    "ProviderTruncated",
    "ProviderUnfit",
    "ProviderUnreachable",
    "RateLimited",
    "Remedy",
    "Reply",
    "RequestError",
    "RequestTooLarge",
    "RouteUnavailable",
    "ShuttingDown",
    "StoreError",
    "Superseded",
    "TrimtabError",
    "UnknownInference",
    "UnknownMetric",
    "UnknownModel",
    "UnknownPath",
    "UnknownPrompt",
    "UnpricedModel",
    "UsageError",
    "reply_of",
]


class TrimtabError(Exception):
    """Root of the tree. The message says what is wrong and what to do.

    Attributes:
        retry_after_s: seconds after which trying again makes sense; None where it does not.
        param: the request field at fault, in the caller's own spelling.
        cost_nanousd: what was spent in vain, where somebody has to account for it.
    """

    retry_after_s: float | None = None
    param: str | None = None
    cost_nanousd: int = 0

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        if param is not None:
            self.param = param


class UsageError(TrimtabError):
    """The caller of a command asked for something impossible."""


class Finding(NamedTuple):
    """One thing wrong in a project folder: where, what was found, what would be valid."""

    place: str
    problem: str
    remedy: str

    @override
    def __str__(self) -> str:
        return f"{self.place}: {self.problem}. {self.remedy}"


class ConfigError(TrimtabError):
    """The project folder is wrong. `findings` lists everything at once, not only the first."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


class RequestError(TrimtabError):
    """An HTTP request that cannot be served as it is."""


class MalformedRequest(RequestError):
    """Not JSON, or a field of the wrong type."""


class UnknownModel(RequestError):
    """No route, alias or model of that name in the project."""


class UnpricedModel(RequestError):
    """The model has no price, so its cost could not be told. Refused, never free."""


class UnknownPrompt(RequestError):
    """The project has no prompt of that name, or not in that version."""


class PromptNotReleased(RequestError):
    """The environment that the gateway serves has no release of the prompt."""


class PromptVariables(RequestError):
    """The variables of a request do not fit the prompt. The message names them, never a value."""


class PromptTooLarge(RequestError):
    """Rendering a prompt takes too much work, or gives too long a text."""


class BudgetExceeded(RequestError):
    """What is left of a budget does not pay for the request."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BudgetBusy(RequestError):
    """What is left of a budget is held by requests under way, and stayed so for too long."""

    retry_after_s = 1.0


class RateLimited(RequestError):
    """A limit on requests or tokens per minute, or on requests at once, is reached."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnknownInference(RequestError):
    """Feedback is about an inference that is not on record, or not over yet."""


class UnknownMetric(RequestError):
    """Feedback is given by a metric that the project does not declare."""


class InvalidToken(RequestError):
    """A feedback token is not one of this gateway's, or too old."""


class InvalidKey(RequestError):
    """The key is missing, unknown or revoked."""


class ForbiddenOrigin(RequestError):
    """A gateway without keys answers only to this machine, and not to web pages."""


class UnknownPath(RequestError):
    """No such route."""


class MethodNotAllowed(RequestError):
    """The path exists, the method does not.

    Attributes:
        allowed: the methods that exist, as in an Allow header.
    """

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"{method} is not allowed on this path. Use {allowed}.")
        self.allowed = allowed


class IdempotencyConflict(RequestError):
    """The Idempotency-Key was used for another request, or is in use for one."""


class RequestTooLarge(RequestError):
    """The body is over `server.max_body_bytes`."""


class HeadersTooLarge(RequestError):
    """Request line and headers are too long, or there are too many of them."""


Remedy = Literal["retry", "move", "fail_over", "larger", "final", "caller", "repair"]
"""What may help after a failed attempt.

retry: the same model again after a wait, else another one.
move: another model at once; where there is none, the same one again.
fail_over: another model at once, and never the same one again.
larger: a model with a larger context window.
final: nothing; the provider's own decision about this request stands.
caller: nothing; the request itself is at fault.
"""


class ProviderError(TrimtabError):
    """One attempt at a provider failed.

    Attributes:
        error_code: short stable word that goes into the ledger.
        remedy: what may help.
    """

    error_code = "provider_error"
    remedy: Remedy = "move"


class ProviderUnreachable(ProviderError):
    """DNS, connect or TLS failed, or the connection broke before an answer began."""

    error_code = "unreachable"


class ProviderBusy(ProviderError):
    """It has as many calls as `max_concurrent` and as many waiting as `max_waiting` allow."""

    error_code = "busy"
    remedy = "fail_over"
    retry_after_s = 1.0


class ProviderTimeout(ProviderError):
    """A limit of the route passed.

    Attributes:
        limit: which one: "connect", "ttft", "idle" or "total".
        limit_s: its length in seconds.
    """

    remedy = "fail_over"  # who is silent once only multiplies the wait

    def __init__(self, limit: str, limit_s: float) -> None:
        super().__init__(
            f"The provider did not answer in time: the route's {limit}_s limit of {limit_s:g} s "
            f"passed. Try again, or raise timeouts.{limit}_s of the route."
        )
        self.limit = limit
        self.limit_s = limit_s
        self.error_code = f"timeout_{limit}"


class ProviderRefused(ProviderError):
    """The provider answered with an error.

    Attributes:
        status: HTTP status to give the caller.
        body: the provider's error in the shape of the dialect, or None.
        headers: headers of the provider that tell the caller what to do, names in lower case.
        wait_s: seconds after which the provider wants to be asked again, or None.
    """

    error_code = "refused"

    def __init__(  # noqa: PLR0913 - all that a refusal says
        self,
        message: str,
        *,
        status: int,
        body: bytes | None = None,
        error_code: str = "refused",
        remedy: Remedy,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        wait_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = body
        self.error_code = error_code
        self.remedy = remedy
        self.headers = headers
        self.wait_s = wait_s


class ProviderRejectedKey(ProviderError):
    """The provider does not accept our key; the caller's own key is fine."""

    error_code = "key_rejected"
    remedy = "fail_over"


class ProviderGarbage(ProviderError):
    """What came back is not the wire format."""

    error_code = "garbage"


class ProviderTruncated(ProviderError):
    """The answer ended before it was finished."""

    error_code = "truncated"


class ProviderUnfit(ProviderError):
    """The answer has not the form that the prompt declares; it is asked for once more."""

    error_code = "answer_unfit"
    remedy = "repair"


class RouteUnavailable(TrimtabError):
    """Every model of the route has failed so often that it is left alone for a while."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Superseded(TrimtabError):
    """Another attempt of the same inference was faster. No caller ever sees it."""


class CallerGone(TrimtabError):
    """The caller closed the connection before the answer was complete."""


class Overloaded(TrimtabError):
    """A bounded queue is full."""

    retry_after_s = 1.0


class ShuttingDown(TrimtabError):
    """The gateway was told to stop and takes no new work."""

    retry_after_s = 5.0


class StoreError(TrimtabError):
    """The store failed."""


class LedgerUnavailable(StoreError):
    """The ledger cannot be written, so nothing is served: nothing goes unrecorded."""

    retry_after_s = 2.0


class LedgerDamaged(StoreError):
    """The ledger does not verify."""


class Reply(NamedTuple):
    """How an error is told to the outside.

    Attributes:
        status: HTTP status.
        kind: `error.type` in OpenAI's shape.
        code: `error.code` in OpenAI's shape; stable.
        exit_code: of the command line (0 ok, 1 failed, 2 usage, 3 inconclusive, 4 budget).
        level: logging level.
    """

    status: int
    kind: str
    code: str
    exit_code: int
    level: int


_INVALID = "invalid_request_error"
_UPSTREAM = "upstream_error"
_OURS = "server_error"

REPLIES: dict[type[TrimtabError], Reply] = {
    TrimtabError: Reply(500, _OURS, "internal_error", 1, logging.ERROR),
    UsageError: Reply(400, _INVALID, "usage", 2, logging.INFO),
    ConfigError: Reply(503, _OURS, "configuration_error", 2, logging.ERROR),
    RequestError: Reply(400, _INVALID, "invalid_request", 2, logging.INFO),
    MalformedRequest: Reply(400, _INVALID, "malformed_request", 2, logging.INFO),
    UnknownModel: Reply(404, _INVALID, "model_not_found", 2, logging.INFO),
    UnpricedModel: Reply(400, _INVALID, "model_not_priced", 2, logging.WARNING),
    UnknownPrompt: Reply(404, _INVALID, "prompt_not_found", 2, logging.INFO),
    PromptNotReleased: Reply(404, _INVALID, "prompt_not_released", 2, logging.INFO),
    PromptVariables: Reply(400, _INVALID, "invalid_prompt_variables", 2, logging.INFO),
    PromptTooLarge: Reply(400, _INVALID, "prompt_too_large", 2, logging.INFO),
    BudgetExceeded: Reply(429, "insufficient_quota", "budget_exceeded", 4, logging.INFO),
    BudgetBusy: Reply(429, "insufficient_quota", "budget_busy", 4, logging.INFO),
    RateLimited: Reply(429, "rate_limit_error", "rate_limit_exceeded", 1, logging.INFO),
    UnknownInference: Reply(404, _INVALID, "inference_not_found", 1, logging.INFO),
    UnknownMetric: Reply(400, _INVALID, "unknown_metric", 1, logging.INFO),
    InvalidToken: Reply(401, "authentication_error", "invalid_feedback_token", 1, logging.INFO),
    InvalidKey: Reply(401, "authentication_error", "invalid_api_key", 1, logging.INFO),
    ForbiddenOrigin: Reply(403, "permission_error", "forbidden_origin", 1, logging.WARNING),
    UnknownPath: Reply(404, _INVALID, "unknown_url", 1, logging.INFO),
    MethodNotAllowed: Reply(405, _INVALID, "method_not_allowed", 1, logging.INFO),
    IdempotencyConflict: Reply(422, _INVALID, "idempotency_conflict", 1, logging.INFO),
    RequestTooLarge: Reply(413, _INVALID, "request_too_large", 1, logging.INFO),
    HeadersTooLarge: Reply(431, _INVALID, "headers_too_large", 1, logging.INFO),
    ProviderError: Reply(502, _UPSTREAM, "provider_error", 1, logging.WARNING),
    ProviderUnreachable: Reply(502, _UPSTREAM, "provider_unreachable", 1, logging.WARNING),
    ProviderBusy: Reply(503, _UPSTREAM, "provider_busy", 1, logging.WARNING),
    ProviderTimeout: Reply(504, _UPSTREAM, "provider_timeout", 1, logging.WARNING),
    ProviderRefused: Reply(502, _UPSTREAM, "provider_refused", 1, logging.INFO),
    ProviderRejectedKey: Reply(502, _UPSTREAM, "provider_rejected_key", 1, logging.ERROR),
    ProviderGarbage: Reply(502, _UPSTREAM, "provider_garbage", 1, logging.WARNING),
    ProviderTruncated: Reply(502, _UPSTREAM, "provider_truncated", 1, logging.WARNING),
    ProviderUnfit: Reply(502, _UPSTREAM, "answer_unfit", 1, logging.INFO),
    RouteUnavailable: Reply(503, _UPSTREAM, "route_unavailable", 1, logging.WARNING),
    Superseded: Reply(500, _OURS, "superseded", 1, logging.DEBUG),
    CallerGone: Reply(499, _INVALID, "caller_gone", 1, logging.DEBUG),
    Overloaded: Reply(503, _OURS, "overloaded", 1, logging.WARNING),
    ShuttingDown: Reply(503, _OURS, "shutting_down", 1, logging.INFO),
    StoreError: Reply(503, _OURS, "store_error", 1, logging.ERROR),
    LedgerUnavailable: Reply(503, _OURS, "ledger_unavailable", 1, logging.ERROR),
    LedgerDamaged: Reply(503, _OURS, "ledger_damaged", 1, logging.ERROR),
}


def reply_of(error: BaseException) -> Reply:
    """The row of `error` in `REPLIES`; anything from outside the tree is an internal error."""
    for cls in type(error).__mro__:
        reply = REPLIES.get(cls)
        if reply is not None:
            return reply
    return REPLIES[TrimtabError]
