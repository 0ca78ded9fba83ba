"""The door to the gateway: resolve and admit, then see the inference through."""

import asyncio

from trimtab.errors import Overloaded
from trimtab.gateway.call import Call
from trimtab.gateway.inference import Inference, Spawn
from trimtab.gateway.outlet import Outlet
from trimtab.gateway.reliability import Reliability
from trimtab.gateway.serving import Serving
from trimtab.providers.wire.chat_request import parse_request
from trimtab.store.protocol import Ledger
from trimtab.types.clock import Clock
from trimtab.types.identity import Caller
from trimtab.types.ids import IdSource

__all__ = ["Gateway"]


class Gateway:
    """Serves inferences. One per process, any number at once.

    Attributes:
        serving: the snapshot that new inferences are served with.
        spawn: makes the tasks of inferences; set by the server before the first caller is let in.
    """

    spawn: Spawn

    def __init__(
        self,
        serving: Serving,
        *,
        ledger: Ledger,
        clock: Clock,
        reliability: Reliability,
    ) -> None:
        self._reliability = reliability
        self._ledger = ledger
        self._clock = clock
        self._ids = IdSource(clock)
        self._active: set[Inference] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.serving = serving

    @property
    def inflight(self) -> int:
        """Inferences under way."""
        return len(self._active)

    def use(self, serving: Serving) -> None:
        """Serve new inferences with `serving`; those under way keep the one they began with."""
        previous, self.serving = self.serving, serving
        previous.close()
        self._reliability.use(serving.project)

    def new_inference_id(self) -> str:
        """An id for an inference. The server asks for it first, so that errors carry it too."""
        return self._ids.new("inf")

    def infer(
        self,
        inference_id: str,
        body: bytes,
        *,
        caller: Caller,
        tried_before: bool,
        outlet: Outlet,
    ) -> None:
        """Begin to serve one chat completion.

        Args:
            inference_id: from `new_inference_id`.
            body: the request body as it came.
            caller: key and team, and the user and session that headers named, if any.
            tried_before: the caller's client says that it tries this again by itself.
            outlet: where the answer goes, and what goes wrong with it.

        Raises:
            TrimtabError: it could not even begin.
        """
        if len(self._active) >= self.serving.project.server.max_inflight:
            raise Overloaded("Too many requests are in flight. Try again shortly.")
        self._ledger.check_open()
        call = self._resolve(inference_id, body, caller=caller, tried_before=tried_before)
        inference = Inference(
            call,
            outlet,
            ledger=self._ledger,
            clock=self._clock,
            reliability=self._reliability,
        )
        inference.begin(self.spawn, self._forget)
        self._active.add(inference)
        self._idle.clear()

    def check_time(self) -> None:
        """Give up what has waited too long for the ledger. Called every few seconds."""
        for inference in list(self._active):
            inference.check_time()

    async def drained(self) -> None:
        """Wait until nothing is under way."""
        await self._idle.wait()

    def stop(self) -> int:
        """End what is under way; returns how many inferences were cut."""
        late = list(self._active)
        for inference in late:
            inference.stop()
        return len(late)

    def _forget(self, inference: Inference) -> None:
        self._active.discard(inference)
        if not self._active:
            self._idle.set()

    def _resolve(
        self, inference_id: str, body: bytes, *, caller: Caller, tried_before: bool
    ) -> Call:
        serving = self.serving
        started_ns = self._clock.wall_ns()
        request = parse_request(body)
        target = serving.project.resolve(request.model)
        return Call(
            inference_id=inference_id,
            started_ns=started_ns,
            begun_s=self._clock.monotonic_s(),
            caller=Caller(
                key_id=caller.key_id,
                team=caller.team,
                user=caller.user or request.end_user,
                session=caller.session or request.session,
            ),
            request=request,
            body=body,
            target=target,
            serving=serving,
            tried_before=tried_before,
        )
