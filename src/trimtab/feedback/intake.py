"""Takes feedback in: joins it to its inference, puts it on record, and tells the guards."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple, cast

from trimtab.config.feedback import Metric
from trimtab.errors import (
    InvalidToken,
    Overloaded,
    StoreError,
    UnknownInference,
)
from trimtab.feedback.request import Said, check_said
from trimtab.feedback.tokens import FeedbackTokens, read_secret
from trimtab.gateway.gateway import Gateway
from trimtab.store.protocol import Comments, Ledger, Reader
from trimtab.store.records import Event
from trimtab.types.clock import Clock
from trimtab.types.feedback import THUMBS, Feedback
from trimtab.types.identity import Caller
from trimtab.types.records import Arm, PromptUse

__all__ = ["FeedbackIntake", "Taken", "open_intake"]

_log = logging.getLogger("trimtab.feedback")

_LOOKS_AT_ONCE: Final = 2  # inferences share the interpreter with them
_MOST_WAITING: Final = 256
# Many may see one cached answer: to guards that would be one inference counted many times.
_ANSWERED_AGAIN: Final = frozenset(("cache", "stale"))

_Looked = tuple[Event, bool]
"""An inference, and whether anything was said of it by `thumbs` before."""


class Taken(NamedTuple):
    """What is on record now.

    Attributes:
        comment_kept: there is a comment, and the project keeps texts.
    """

    feedback: Feedback
    comment_kept: bool


class _Checked(NamedTuple):
    """Something that fits what is declared."""

    said: Said
    metric: Metric
    inference_id: str


class FeedbackIntake:
    """The way of feedback. Belongs to the event loop's thread.

    Args:
        gateway: has the project as it is, and the guards.
        tokens: reads what browsers send.
        clock: the time.
        reader: knows the inferences.
        ledger: where feedback is written.
        comments: where texts are written.
    """

    def __init__(
        self,
        gateway: Gateway,
        tokens: FeedbackTokens,
        clock: Clock,
        *,
        reader: Reader,
        ledger: Ledger,
        comments: Comments,
    ) -> None:
        self._gateway = gateway
        self._tokens = tokens
        self._clock = clock
        self._reader = reader
        self._ledger = ledger
        self._comments = comments
        self._looking = asyncio.Semaphore(_LOOKS_AT_ONCE)
        self._waiting = 0

    async def take(self, said: Sequence[Said], identify: Callable[[], Caller]) -> list[Taken]:
        """Put some on record: all of them, or none that is wrong.

        Args:
            said: from one request.
            identify: who sends it; asked where there is an entry without a token.

        Raises:
            InvalidKey: no token, and no valid key.
            InvalidToken: a token is not ours, or too old.
            UnknownInference: an inference is not on record, or of another team.
            UnknownMetric: a metric is not declared.
            MalformedRequest: something else is wrong.
            Overloaded: too many send feedback.
            LedgerUnavailable: it cannot be written now.
        """
        caller = identify() if any(not one.token for one in said) else None
        checked = [self._check(one) for one in said]
        looked = await self._look(checked)
        feedback = [self._join(one, looked.get(one.inference_id), caller) for one in checked]
        await self._record(feedback)
        for one in feedback:
            event, heard = looked[one.inference_id]
            if not heard and event.cause not in _ANSWERED_AGAIN:
                self._gateway.canaries.hear(one, event.user or one.user)
        comments = [(one, check.said.comment) for one, check in zip(feedback, checked, strict=True)]
        kept = await self._keep(comments)
        return [Taken(one, was_kept) for one, was_kept in zip(feedback, kept, strict=True)]

    def _check(self, said: Said) -> _Checked:
        rules = self._gateway.serving.project.feedback
        metric = check_said(said, rules.metrics)
        if not said.token:
            return _Checked(said, metric, said.inference_id)
        if rules.tokens is None:
            raise InvalidToken(
                "This project takes no feedback tokens. Send a key and `inference_id`, or add "
                "[tokens] to feedback.toml."
            )
        now_ns, days = self._clock.wall_ns(), rules.tokens.days
        found = self._tokens.inference_of(said.token, now_ns=now_ns, days=days)
        return _Checked(said, metric, found)

    async def _look(self, checked: Sequence[_Checked]) -> dict[str, _Looked]:
        """The inferences that are known, by id."""
        if self._waiting >= _MOST_WAITING:
            raise Overloaded("Too much feedback is sent at a time. Send it again in a second.")
        self._waiting += 1
        try:
            async with self._looking:
                return await asyncio.to_thread(self._read, {one.inference_id for one in checked})
        finally:
            self._waiting -= 1

    def _read(self, inference_ids: set[str]) -> dict[str, _Looked]:
        found: dict[str, _Looked] = {}
        for inference_id in inference_ids:
            event = self._reader.event(inference_id)
            if event is not None:
                given = self._reader.feedback_on(inference_id)
                found[inference_id] = event, any(one.metric == THUMBS for one in given)
        return found

    def _join(self, check: _Checked, looked: _Looked | None, caller: Caller | None) -> Feedback:
        said, metric = check.said, check.metric
        event = looked[0] if looked is not None else None
        foreign = event is not None and not said.token and event.team != (caller or Caller()).team
        if event is None or foreign:
            raise UnknownInference(
                "No inference with this id is on record for the team of this key, or it is not "
                "over yet. The id is the header x-request-id of the answer; feedback can be given "
                "until its day is deleted (retention_days).",
                param="inference_id",
            )
        named = said.user or (caller.user if caller is not None and not said.token else "")
        return Feedback(
            inference_id=event.inference_id,
            started_ns=event.started_ns,
            given_ns=self._clock.wall_ns(),
            metric=said.metric,
            value=said.value,
            bad=_is_bad(said.value, metric),
            user=named or event.user,
            key_id=caller.key_id if caller is not None and not said.token else "",
            prompt=_prompt_of(event),
            model=f"{event.provider}:{event.model}",
            served_model=event.served_model,
        )

    async def _record(self, feedback: Sequence[Feedback]) -> None:
        receipts = [self._ledger.record_feedback(one) for one in feedback]
        for receipt in receipts:
            await receipt

    async def _keep(self, comments: Sequence[tuple[Feedback, str]]) -> list[bool]:
        """Which comments are kept. That one is not must not undo what was said beside it."""
        keeps = self._gateway.serving.project.recording.bodies == "full"
        kept: list[bool] = []
        for feedback, comment in comments:
            if not keeps or not comment:
                kept.append(False)
                continue
            try:
                await asyncio.to_thread(self._comments.keep, feedback, comment)
                kept.append(True)
            except StoreError as error:
                _log.warning("a comment on %s is lost: %s", feedback.inference_id, error)
                kept.append(False)
        return kept


def open_intake(
    gateway: Gateway,
    data_dir: Path,
    clock: Clock,
    *,
    reader: Reader,
    ledger: Ledger,
    comments: Comments,
) -> FeedbackIntake:
    """The intake of a gateway, whose tokens it gives.

    Raises:
        StoreError: the secret in the data folder cannot be used.
    """
    tokens = FeedbackTokens(read_secret(data_dir))
    gateway.token_line = tokens.header_line
    return FeedbackIntake(gateway, tokens, clock, reader=reader, ledger=ledger, comments=comments)


def _is_bad(value: bool | float, metric: Metric) -> bool | None:  # noqa: FBT001 - what was said
    if metric.type != "boolean":
        return None
    return bool(value) == (metric.direction == "down")


def _prompt_of(event: Event) -> PromptUse | None:
    if not event.prompt:
        return None
    arm = cast("Arm", event.prompt_arm)
    version, version_hash = event.prompt_version, event.prompt_hash
    return PromptUse(id=event.prompt, version=version, hash=version_hash, arm=arm)
