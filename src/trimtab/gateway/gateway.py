"""The door to the gateway: resolve and admit, then see the inference through."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from trimtab.config.money import with_class
from trimtab.errors import Overloaded, TrimtabError
from trimtab.gateway.admission import Admission, enter_at_once
from trimtab.gateway.asking import Asked, AskedOutlet, Question, asked_call
from trimtab.gateway.call import Call
from trimtab.gateway.canary import CanaryWatch
from trimtab.gateway.downgrade import downgraded
from trimtab.gateway.funds import Fund
from trimtab.gateway.inference import Inference
from trimtab.gateway.outlet import Outlet
from trimtab.gateway.prompted import pinned, prompted
from trimtab.gateway.purse import Purse
from trimtab.gateway.recovery import Recovery
from trimtab.gateway.reliability import Reliability
from trimtab.gateway.repeats import Repeats
from trimtab.gateway.replies import prompt_header
from trimtab.gateway.response_cache import ResponseCache
from trimtab.gateway.reuse import Again, Keeper, Reuse
from trimtab.gateway.sanctions import Sanctions
from trimtab.gateway.seat import Seat
from trimtab.gateway.serving import Serving
from trimtab.gateway.shadow import NobodysOutlet, Shadows
from trimtab.gateway.spawn import Spawn
from trimtab.gateway.treasury import Treasury
from trimtab.gateway.turnstile import Turnstile
from trimtab.providers.wire.chat_request import ChatRequest, parse_request
from trimtab.releases.serving import PromptDesk
from trimtab.spend.limits import Lease
from trimtab.store.protocol import Ledger
from trimtab.types.clock import Clock
from trimtab.types.identity import Caller
from trimtab.types.ids import IdSource

__all__ = ["Gateway"]

_log = logging.getLogger("trimtab.gateway")

Work = Recovery | Again | Admission
"""What is under way for an inference: one of these at a time."""


class Gateway:
    """Serves inferences. One per process, any number at once.

    Attributes:
        serving: the snapshot that new inferences are served with.
        sanctions: what is done about those who stand out.
        canaries: watches the versions of prompts that are tried.
        token_line: makes the header line with the feedback token of an inference; set before the
            first caller is let in.
        shadows: versions that are tried without being shown.
        spawn: makes the tasks of inferences; set by the server before the first caller is let in.
        new_inference_id: makes the id of an inference. The server asks for it first, so that errors
            carry it too.
    """

    spawn: Spawn
    token_line: Callable[[str], bytes]

    def __init__(
        self,
        serving: Serving,
        *,
        ledger: Ledger,
        clock: Clock,
        reliability: Reliability,
        cache: ResponseCache,
        treasury: Treasury,
    ) -> None:
        self._reliability = reliability
        self._cache = cache
        self._treasury = treasury
        self.sanctions = Sanctions(clock)
        self.canaries = CanaryWatch(clock)
        self.shadows = Shadows()
        self._turnstile = Turnstile(serving.project, clock, self.sanctions)
        self._leases: dict[str, Lease] = {}
        self._endings: dict[str, AskedOutlet] = {}  # of what the house asks for
        self._repeats = Repeats(clock)
        self._reuse = Reuse(cache, ledger=ledger, tally=reliability.tally, clock=clock)
        self._reuse.fly = self._fly
        self._reuse.on_over = self._forget
        self._reuse.spawn = self._spawn_task
        self._ledger = ledger
        self._clock = clock
        self.new_inference_id = partial(IdSource(clock).new, "inf")
        self._active: dict[Work, str] = {}
        self._drained: asyncio.Event | None = None  # once somebody waits for it
        self.serving = serving
        self._gives_tokens = serving.project.feedback.tokens is not None

    @property
    def inflight(self) -> int:
        """Inferences under way."""
        return len(self._active)

    def use(self, serving: Serving) -> None:
        """Serve new inferences with `serving`; those under way keep the one they began with."""
        previous, self.serving = self.serving, serving
        self._gives_tokens = serving.project.feedback.tokens is not None
        previous.close()
        self._reliability.use(serving.project)
        self._cache.use(serving.project.cache)
        self._treasury.funds.use(serving.project)
        self._turnstile.use(serving.project)

    def use_prompts(self, desk: PromptDesk) -> None:
        """Render new inferences with the versions of `desk`."""
        self.serving = self.serving._replace(prompts=desk)
        self.canaries.use(desk.environment, desk.trials())

    def infer(
        self,
        inference_id: str,
        body: bytes,
        *,
        caller: Caller,
        tried_before: bool,
        idempotency_key: str,
        outlet: Outlet,
    ) -> None:
        """Begin to serve one chat completion.

        Args:
            inference_id: from `new_inference_id`.
            body: the request body as it came.
            caller: key and team, and the user and session that headers named, if any.
            tried_before: the caller's client says that it tries this again by itself.
            idempotency_key: two requests with the same one are answered by one call; or "".
            outlet: where the answer goes, and what goes wrong with it.

        Raises:
            TrimtabError: it could not even begin.
        """
        if len(self._active) >= self.serving.project.server.max_inflight:
            raise Overloaded("Too many requests are in flight. Try again shortly.")
        self._ledger.check_open()
        call = self._resolve(inference_id, body, caller=caller, tried_before=tried_before)
        if call.prompt is not None:
            outlet.note(prompt_header(call.prompt))
        if self._gives_tokens:
            outlet.note(self.token_line(inference_id))
        if self.sanctions.any and self.sanctions.downgrades(call.caller):
            call = downgraded(call)
            outlet.note(b"x-trimtab-downgraded: outliers\r\n")
        self._enter(call, outlet, idempotency_key)
        if call.prompt is not None and call.prompt.arm == "released":
            self._begin_shadow(call, body)

    async def ask(self, question: Question, caller: Caller) -> Asked:
        """One inference that the house itself asks for, with its own limits, budgets and records.

        Never from the cache, never hedged, and by no other model than the one that is asked. What
        goes wrong is in the answer. If this is cancelled, the call is ended and recorded.
        """
        outlet = AskedOutlet(self.new_inference_id(), asyncio.get_running_loop().create_future())
        self._endings[outlet.inference_id] = outlet
        try:
            self._begin_asked(question, outlet, caller)
            return await outlet.answer()
        finally:
            del self._endings[outlet.inference_id]

    def preview(self, question: Question) -> Call:
        """The call that a question would be.

        Raises:
            TrimtabError: it cannot be asked.
        """
        return self._asked(question, "", Caller())

    def _begin_asked(self, question: Question, outlet: AskedOutlet, caller: Caller) -> None:
        try:
            self._ledger.check_open()
            self._enter(self._asked(question, outlet.inference_id, caller), outlet, "")
        except TrimtabError as error:
            outlet.fail(error)

    def _asked(self, question: Question, inference_id: str, caller: Caller) -> Call:
        now = (self._clock.wall_ns(), self._clock.monotonic_s())
        return asked_call(self.serving, question, inference_id, caller=caller, now=now)

    def _enter(self, call: Call, outlet: Outlet, idempotency_key: str) -> None:
        """Let a call begin if its limits allow it."""
        lease = self._turnstile.enter(call)
        if lease is not None:
            outlet.note(self._turnstile.headers(lease))
            self._leases[call.inference_id] = lease
            lease.holders = 1
        try:
            if call.target.policy.cache is None and not idempotency_key:
                self._fly(call, outlet)
            else:
                self._look(call, outlet, idempotency_key)
        finally:
            if lease is not None:
                self._let_go(lease, call.inference_id)

    def _begin_shadow(self, call: Call, body: bytes) -> None:
        """Call the version that is tried in the shadow, if it is this inference's turn."""
        inference_id = self.new_inference_id()
        try:
            shadow = self.shadows.call_beside(call, body, inference_id=inference_id)
            if shadow is not None:
                self._launch_at_once(shadow)
        except TrimtabError as error:  # it must not touch the one that is shown
            _log.info("no shadow beside %s: %s", call.inference_id, error)
        finally:
            unused = self.shadows.seat(inference_id)
            if unused is not None:
                unused.leave()

    def _launch_at_once(self, call: Call) -> None:
        """Begin what nobody waits for, unless it would have to wait itself."""
        if not call.serving.project.budgets:
            self._launch(call, NobodysOutlet(), None)
            return
        purse = Purse(call, self._treasury)
        if purse.unknown() or purse.enter(in_line=False):
            return
        try:
            self._launch(call, NobodysOutlet(), None, purse=purse)
        except BaseException:
            purse.close()
            raise

    def _fly(self, call: Call, outlet: Outlet, keeper: Keeper | None = None) -> None:
        """Answer with a call, once the budgets allow it."""
        if not call.serving.project.budgets:
            self._launch(call, outlet, keeper)
            return

        purse = Purse(call, self._treasury)
        if purse.unknown():
            self._admit(purse, outlet, keeper, lacking=())
            return
        lacking = enter_at_once(purse, outlet)
        if lacking:
            self._admit(purse, outlet, keeper, lacking=lacking)
            return
        try:
            self._launch(purse.call, outlet, keeper, purse=purse)
        except BaseException:
            purse.close()
            raise

    def _admit(
        self, purse: Purse, outlet: Outlet, keeper: Keeper | None, *, lacking: Sequence[Fund]
    ) -> None:
        """Begin later: when it is known what was spent, or when there is room in `lacking`."""

        def launch(purse: Purse) -> None:
            self._launch(purse.call, outlet, keeper, purse=purse)

        def refuse(error: Exception) -> None:
            if keeper is not None:
                keeper.let_go()
            outlet.fail(error)

        admission = Admission(
            purse,
            self._treasury,
            outlet,
            launch=launch,
            refuse=refuse,
            on_over=self._forget,
        )
        self._take(admission, purse.call)
        try:
            if lacking:
                admission.wait(lacking)
            else:
                admission.learn(self.spawn)
        except BaseException:
            self._forget(admission)
            raise

    def _launch(
        self, call: Call, outlet: Outlet, keeper: Keeper | None, *, purse: Purse | None = None
    ) -> None:
        inference = Inference(
            call,
            outlet,
            ledger=self._ledger,
            clock=self._clock,
            reliability=self._reliability,
            keeper=keeper,
        )
        inference.purse = purse
        inference.begin(self.spawn, self._forget)
        if call.prompt is not None or self._endings:
            inference.seat = self._seat(call)
        inference.lease = self._take(inference, call)

    def _seat(self, call: Call) -> Seat | None:
        """Who wants to know what becomes of an inference, beside its caller."""
        asked = self._endings.get(call.inference_id)
        if asked is not None:
            return asked.seat
        if call.prompt is None:
            return None
        return self.shadows.seat(call.inference_id) or self.canaries.seat(
            call.prompt, call.caller.user
        )

    def _look(self, call: Call, outlet: Outlet, idempotency_key: str) -> None:
        """Answer without a call, if that can be."""
        again = self._reuse.prepare(call, outlet, idempotency_key)
        self._take(again, call)
        try:
            again.look(on_disk=True)
        except TrimtabError:
            self._forget(again)
            raise

    def _take(self, work: Work, call: Call) -> Lease | None:
        """Count what works for a request; its place in the limits, if there are any."""
        inference_id = call.inference_id
        self._active[work] = inference_id
        lease = self._leases.get(inference_id)
        if lease is not None:
            lease.holders += 1
        return lease

    def _forget(self, work: Work) -> None:
        inference_id = self._active.pop(work, None)
        if inference_id is None:
            return
        self._repeats.answered(work.answered)
        lease = self._leases.get(inference_id)
        if lease is not None:
            self._let_go(lease, inference_id)
        if self._drained is not None and not self._active:
            self._drained.set()

    def _let_go(self, lease: Lease, inference_id: str) -> None:
        """One less works for a request; give back its place if that was the last one."""
        lease.holders -= 1
        if not lease.holders:
            del self._leases[inference_id]
            lease.close()

    def _spawn_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self.spawn(work)  # which the server sets later

    def check_time(self) -> None:
        """Give up what has waited too long, and let go what nobody needs. Every few seconds."""
        for work in list(self._active):
            work.check_time()
        self._treasury.funds.drop_idle()
        self._turnstile.drop_idle()
        self._repeats.forget_old()
        for upstream in self.serving.upstreams.values():
            upstream.pool.close_stale()

    async def drained(self) -> None:
        """Wait until nothing is under way."""
        while self._active:
            if self._drained is None or self._drained.is_set():
                self._drained = asyncio.Event()
            await self._drained.wait()

    def stop(self) -> int:
        """End what is under way; returns how many inferences were cut."""
        late = list(self._active)
        for work in late:
            work.stop()
        return len(late)

    def _resolve(
        self, inference_id: str, body: bytes, *, caller: Caller, tried_before: bool
    ) -> Call:
        serving = self.serving
        project = serving.project
        started_ns = self._clock.wall_ns()
        request = parse_request(body)
        who = _named(caller, request)
        if project.classes or who.user_class:
            who = with_class(who, project.classes)
        prompt = pin = form = asked = None
        if request.names_prompt:
            sticky = who.user or who.session or inference_id
            asked = body
            body, request, prompt, pin, form = prompted(serving.prompts, body, request, who=sticky)
        target = project.resolve(request.model)
        if pin:
            target = pinned(project, target, pin)
        mark = self._repeats.mark_of(who, request)
        return Call(
            inference_id=inference_id,
            started_ns=started_ns,
            begun_s=self._clock.monotonic_s(),
            caller=who,
            request=request,
            body=body,
            target=target,
            serving=serving,
            tried_before=tried_before,
            mark=mark,
            repeat=not tried_before and self._repeats.is_repeat(mark),
            prompt=prompt,
            form=form,
            asked=asked,
        )


def _named(caller: Caller, request: ChatRequest) -> Caller:
    """The caller with the user and session that the body names, where headers named none."""
    user = caller.user or request.end_user
    session = caller.session or request.session
    if user == caller.user and session == caller.session:
        return caller
    return Caller(caller.key_id, caller.team, user, session, caller.user_class)
