"""Answers of the gateway's own pipeline: the same rendering, the same ladder, the same ledger."""

from typing import Any, Final, Protocol

import msgspec

from trimtab.datasets.case import Case, case_hash
from trimtab.datasets.traffic import OWN_TEAM
from trimtab.errors import (
    BudgetBusy,
    BudgetExceeded,
    Overloaded,
    ProviderBusy,
    ProviderRefused,
    RateLimited,
    RouteUnavailable,
    TrimtabError,
    reply_of,
)
from trimtab.evals.asked import user_text
from trimtab.evals.evaluator import AskReply, AskRequest
from trimtab.evals.setups import Ready
from trimtab.gateway.asking import Asked, Question
from trimtab.gateway.gateway import Gateway
from trimtab.gateway.worst_case import most_nanousd
from trimtab.types.clock import Clock
from trimtab.types.experiments import Row, ToolCall
from trimtab.types.identity import Caller

__all__ = ["Answerer", "GatewayAnswerer", "later"]

_LONGEST_ERROR: Final = 300
_SLOW_DOWN: Final = frozenset((429, 503, 529))
_BUSY: Final = (RateLimited, BudgetBusy, ProviderBusy, Overloaded, RouteUnavailable)
_encode = msgspec.json.encode


class Answerer(Protocol):
    """Where a run gets its answers from."""

    async def answer(self, ready: Ready, case: Case, repeat: int) -> Row:
        """One row; what goes wrong is in it.

        Raises:
            TrimtabError: `later` says so: it was not asked, or not served, for now; with what it
                cost all the same.
            BudgetExceeded: a budget of the project is used up.
        """
        ...

    async def ask(self, request: AskRequest) -> AskReply:
        """The question of an evaluator.

        Raises:
            TrimtabError: there is no answer; with what it cost all the same.
        """
        ...

    def most_nanousd(self, ready: Ready, case: Case) -> int:
        """What one row may cost at most.

        Raises:
            TrimtabError: it cannot be asked: the variables do not fit, or there is no price.
        """
        ...

    def most_of(self, request: AskRequest) -> int:
        """What the question of an evaluator may cost at most.

        Raises:
            TrimtabError: it cannot be asked.
        """
        ...

    def asked_text(self, ready: Ready, case: Case) -> str:
        """What the user's side says, rendered; "" where it cannot be."""
        ...


def later(error: Exception) -> bool:
    """Whether an error means: the same again, but more slowly."""
    if isinstance(error, ProviderRefused):
        return error.status in _SLOW_DOWN
    return isinstance(error, _BUSY)


class GatewayAnswerer:
    """Asks a gateway in this process.

    Args:
        gateway: that serves.
        clock: for the times of rows.
        experiment: id, which the ledger keeps as the session; the team is `evals`.
    """

    def __init__(self, gateway: Gateway, clock: Clock, experiment: str) -> None:
        self._gateway = gateway
        self._clock = clock
        self._caller = Caller(team=OWN_TEAM, session=experiment)

    async def answer(self, ready: Ready, case: Case, repeat: int) -> Row:
        """See `Answerer.answer`."""
        asked = await self._gateway.ask(_question(ready, case), self._caller)
        error = asked.error
        if isinstance(error, TrimtabError) and (isinstance(error, BudgetExceeded) or later(error)):
            error.cost_nanousd = asked.cost_nanousd
            raise error
        return _row(asked, ready, case, repeat=repeat, at_ns=self._clock.wall_ns())

    async def ask(self, request: AskRequest) -> AskReply:
        """See `Answerer.ask`."""
        caller = msgspec.structs.replace(self._caller, user=request.purpose)
        asked = await self._gateway.ask(_question_of(request), caller)
        if asked.error is not None:
            if isinstance(asked.error, TrimtabError):
                asked.error.cost_nanousd = asked.cost_nanousd
            raise asked.error
        served = asked.settle.served_model if asked.settle is not None else ""
        return AskReply(
            text=_read(asked.body).text, served_model=served, cost_nanousd=asked.cost_nanousd
        )

    def most_nanousd(self, ready: Ready, case: Case) -> int:
        """See `Answerer.most_nanousd`."""
        return most_nanousd(self._gateway.preview(_question(ready, case)))

    def most_of(self, request: AskRequest) -> int:
        """See `Answerer.most_of`."""
        return most_nanousd(self._gateway.preview(_question_of(request)))

    def asked_text(self, ready: Ready, case: Case) -> str:
        """See `Answerer.asked_text`."""
        try:
            body = self._gateway.preview(_question(ready, case)).body
        except TrimtabError:
            return ""
        messages = msgspec.json.decode(body, type=_Request).messages
        return user_text(messages)


class _Request(msgspec.Struct, frozen=True):
    messages: list[dict[str, Any]]


class _Function(msgspec.Struct, frozen=True):
    name: str = ""
    arguments: str = ""


class _Call(msgspec.Struct, frozen=True):
    function: _Function = _Function()


class _Message(msgspec.Struct, frozen=True):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message
    finish_reason: str | None = None


class _Answer(msgspec.Struct, frozen=True):
    choices: list[_Choice] = []


class _Read(msgspec.Struct, frozen=True):
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = ""


_decode = msgspec.json.Decoder(_Answer).decode


def _question(ready: Ready, case: Case) -> Question:
    fields: dict[str, Any] = {"messages": case.messages} if case.messages else {}
    if ready.served is None:
        fields = {**ready.setup.overrides, **fields, "model": ready.model}
    else:
        fields["prompt"] = {"id": ready.setup.prompt, "variables": case.variables}
    return Question(_encode(fields), ready.served, ready.setup.model)


def _question_of(request: AskRequest) -> Question:
    fields = {**request.config, "model": request.model, "messages": request.messages}
    return Question(_encode(fields), None, "")


def _row(asked: Asked, ready: Ready, case: Case, *, repeat: int, at_ns: int) -> Row:
    settle, error = asked.settle, asked.error
    read = _read(asked.body) if error is None else _Read("")
    usage = settle.usage if settle is not None else None
    return Row(
        setup_hash=ready.setup.hash,
        case_id=case.id,
        case_hash=case_hash(case),
        repeat=repeat,
        status="ok" if error is None else "error",
        text=read.text,
        tool_calls=read.tool_calls,
        finish_reason=read.finish_reason,
        error_code="" if error is None else reply_of(error).code,
        error="" if error is None else str(error)[:_LONGEST_ERROR],
        served_model=settle.served_model if settle is not None and error is None else "",
        inference_id=asked.inference_id,
        latency_us=settle.latency_us if settle is not None else 0,
        input_tokens=usage.input_tokens if usage is not None else 0,
        output_tokens=usage.output_tokens if usage is not None else 0,
        cost_nanousd=asked.cost_nanousd,
        at_ns=at_ns,
    )


def _read(body: bytes) -> _Read:
    """The first choice; an answer without one is empty, which evaluators judge."""
    try:
        choices = _decode(body).choices
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Read("", finish_reason="unreadable")
    if not choices:
        return _Read("", finish_reason="empty")
    message = choices[0].message
    calls = tuple(
        ToolCall(name=call.function.name, arguments=call.function.arguments)
        for call in message.tool_calls or ()
    )
    if message.refusal:
        return _Read(message.refusal, calls, "refusal")
    return _Read(message.content or "", calls, choices[0].finish_reason or "")
