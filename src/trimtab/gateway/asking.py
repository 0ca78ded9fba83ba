"""Inferences that the house itself asks for: cases of a suite, and questions to judges."""

import asyncio
from typing import NamedTuple

import msgspec

from trimtab.config.money import with_class
from trimtab.gateway.call import Call
from trimtab.gateway.outlet import OutletListener
from trimtab.gateway.prompted import pinned, prompted_as
from trimtab.gateway.serving import Serving
from trimtab.providers.wire.chat_request import parse_request
from trimtab.releases.serving import Served
from trimtab.types.identity import Caller
from trimtab.types.records import Settle

__all__ = ["Asked", "AskedOutlet", "Question", "asked_call"]


class Question(NamedTuple):
    """What is asked.

    Attributes:
        body: a whole request of chat completions; with `served` it names the prompt and carries
            its variables, and without it names a model.
        served: the version of a prompt that it is rendered with; None for its own messages.
        pin: `provider:model` that must answer; "" for what its model stands for, other providers
            of the same model included.
    """

    body: bytes
    served: Served | None
    pin: str


class Asked(NamedTuple):
    """What came of it.

    Attributes:
        inference_id: by which the ledger knows it.
        body: the answer of chat completions; b"" where there is none.
        error: why there is none.
        settle: of the last attempt; None where none was made.
        cost_nanousd: of all attempts.
    """

    inference_id: str
    body: bytes
    error: Exception | None
    settle: Settle | None
    cost_nanousd: int


class AskedSeat:
    """Remembers how the inference ended."""

    settle: Settle | None = None
    cost_nanousd = 0

    def end(self, settle: Settle, *, cost_nanousd: int) -> None:
        """Its last attempt is over."""
        self.settle, self.cost_nanousd = settle, cost_nanousd

    def leave(self) -> None:
        """Nothing: whoever waits hears it by the outlet."""


class AskedOutlet:
    """Takes the whole answer."""

    listener: OutletListener | None = None
    gone = False
    started = False

    def __init__(self, inference_id: str, done: asyncio.Future[None]) -> None:
        self.inference_id = inference_id
        self.seat = AskedSeat()
        self._done = done
        self._body = b""
        self._error: Exception | None = None

    async def answer(self) -> Asked:
        """Wait for it. If nobody waits any more, the caller is gone."""
        try:
            await self._done
        except asyncio.CancelledError:
            self.gone = True
            if self.listener is not None:
                self.listener.on_gone()
            raise
        seat = self.seat
        return Asked(self.inference_id, self._body, self._error, seat.settle, seat.cost_nanousd)

    def note(self, lines: bytes) -> None:
        """Nothing: what headers say is in the settle."""

    def send(self, status: int, headers: bytes, body: bytes) -> None:  # noqa: ARG002
        """The answer."""
        self._body = body
        self._finish()

    def fail(self, error: Exception) -> None:
        """There is none."""
        self._error = error
        self._finish()

    def start(self, status: int, headers: bytes) -> None:
        """Never: nothing is streamed."""

    def write(self, data: bytes) -> None:
        """Never."""

    def write_chunk(self, chunk: bytes) -> None:
        """Never."""

    def end(self) -> None:
        """Never."""

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)


def asked_call(
    serving: Serving,
    question: Question,
    inference_id: str,
    *,
    caller: Caller,
    now: tuple[int, float],
) -> Call:
    """The call of a question, which is answered as it stands or not at all.

    Args:
        serving: what it is answered with.
        question: what is asked.
        inference_id: of the inference.
        caller: on whose account.
        now: UTC nanoseconds and monotonic seconds.

    Raises:
        TrimtabError: no such model, variables that do not fit, a pin that is not on offer.
    """
    body, request, prompt, form = question.body, parse_request(question.body), None, None
    if question.served is not None:
        made = prompted_as(serving.prompts, question.served, body=body, request=request)
        body, request, prompt, form = made.body, made.request, made.use, made.form
    target = pinned(serving.project, serving.project.resolve(request.model), question.pin)
    # Another model's answer would be a figure about another model.
    equals = 1 if question.pin else max(target.equals, 1)
    target = msgspec.structs.replace(
        target,
        rungs=target.rungs[:equals],
        equals=equals,
        policy=msgspec.structs.replace(target.policy, cache=None, hedge=None),
    )
    return Call(
        inference_id=inference_id,
        started_ns=now[0],
        begun_s=now[1],
        caller=with_class(caller, serving.project.classes),
        request=request,
        body=body,
        target=target,
        serving=serving,
        prompt=prompt,
        form=form,
        exact=True,
    )
