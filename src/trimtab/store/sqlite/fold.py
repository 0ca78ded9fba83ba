"""Ledger entries in, events and samples out: pairs each settle with its intent. Pure.

The state of an inference lives here only while something of it is open, so that the usual one
(an intent and its only settle in one chunk) never touches the disk in between.
"""

import logging
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from trimtab.stats.histogram import LogHistogram
from trimtab.store.sqlite.event_rows import row_of
from trimtab.store.sqlite.ladder import LadderSample, ladder_sample
from trimtab.store.sqlite.prompt_chunk import PromptChunk
from trimtab.store.sqlite.samples import ONE_OF, NewSample
from trimtab.store.sqlite.served import SettledAttempt
from trimtab.store.sqlite.spend_chunk import SpendChunk
from trimtab.store.sqlite.usual import UsualChunk
from trimtab.types.clock import NS_PER_S
from trimtab.types.feedback import Feedback
from trimtab.types.records import Extension, Intent, Settle

__all__ = ["Fold", "InferenceState", "OpenAttempt"]

_bucket_of = LogHistogram.bucket_of
_log = logging.getLogger(__name__)

_NOT_COUNTED: Final = (0, 0, 0, 0, 0)


class OpenAttempt(NamedTuple):
    """An intent without its settle, and who wrote it."""

    writer: int
    intent: Intent


class InferenceState(msgspec.Struct):
    """What the projection must remember of an inference that is not over.

    Attributes:
        open: attempts without a settle, by number.
        settled: the others, as they ended.
        over: the final settle was seen; a hedged attempt may still be open.
    """

    started_ns: int
    open: dict[int, OpenAttempt]
    settled: list[SettledAttempt] = []
    over: bool = False


class Fold:
    """Takes entries in the order of each writer.

    Attributes:
        usual: inferences of one attempt that ended in this chunk.
        rows: the newest form of the row of each other event, by inference.
        several: the settled attempts of inferences that have more than one.
        samples: of the others, for the rollups.
        ladder: for what is told of ladders.
        spend: of the others, for what a bill is explained by.
        prompts: for what is told of versions of prompts.
        feedback: what was given, and in which entry.
    """

    def __init__(self, load: Callable[[str], InferenceState | None]) -> None:
        self.usual = UsualChunk()
        self.rows: dict[str, tuple[Any, ...]] = {}
        self.several: dict[str, list[SettledAttempt]] = {}
        self.samples: list[NewSample] = []
        self.ladder: list[LadderSample] = []
        self.spend = SpendChunk()
        self.prompts = PromptChunk()
        self.feedback: list[tuple[tuple[int, int], Feedback]] = []
        self._load = load
        # First attempts that began in this chunk. Most end in it, and need no state.
        self._begun: dict[str, tuple[int, Intent]] = {}
        self._states: dict[str, InferenceState | None] = {}

    @property
    def states(self) -> dict[str, InferenceState | None]:
        """What is left of each inference that is not over; None where something was, and is."""
        for inference_id in list(self._begun):
            self._state(inference_id)
        return self._states

    def take_intent(self, writer: int, intent: Intent) -> None:
        """An attempt begins."""
        if intent.attempt == 1:
            self._begun[intent.inference_id] = (writer, intent)
            return
        state = self._state(intent.inference_id)
        if state is None:
            state = InferenceState(intent.started_ns, {})
            self._states[intent.inference_id] = state
        state.open[intent.attempt] = OpenAttempt(writer, intent)

    def take_extension(self, extension: Extension) -> None:
        """An attempt may cost more by now. If it is not open, `verify` tells."""
        inference_id, number = extension.inference_id, extension.attempt
        begun = self._begun.get(inference_id) if number == 1 else None
        if begun is not None:
            self._begun[inference_id] = (begun[0], _extended(begun[1], extension))
            return
        state = self._state(inference_id)
        if state is not None and number in state.open:
            writer, intent = state.open[number]
            state.open[number] = OpenAttempt(writer, _extended(intent, extension))

    def take_settle(self, settle: Settle) -> None:
        """An attempt is over. A settle without an open intent says nothing: `verify` tells."""
        if settle.attempt == 1 and settle.final:
            begun = self._begun.pop(settle.inference_id, None)
            if begun is not None:
                self._take_only(begun[1], settle)
                return
        state = self._state(settle.inference_id)
        begun = state.open.pop(settle.attempt, None) if state is not None else None
        if state is None or begun is None:
            _log.warning(
                "Attempt %d of %s was settled twice or never begun: not counted. "
                "Run `trimtab ledger verify`.",
                settle.attempt,
                settle.inference_id,
            )
            return
        if settle.final and not (state.settled or state.open):
            self._states[settle.inference_id] = None
            self._take_only(begun.intent, settle)
            return
        state.settled.append(SettledAttempt(begun.intent, settle))
        was_over, state.over = state.over, state.over or settle.final
        if state.over:
            self._tell_ladder(state.settled, was_over=was_over)
            if begun.intent.prompt is not None:
                self.prompts.add_last(state.settled, begun.intent.prompt, was_over=was_over)
        self.spend.add_last(state.settled)
        self.rows[settle.inference_id] = row_of(state.settled)
        if len(state.settled) > 1:
            self.several[settle.inference_id] = state.settled
        cost_nanousd = sum(attempt.settle.cost_nanousd for attempt in state.settled)
        self.samples.append(_sample(begun.intent, settle, cost_nanousd))
        if state.over and not state.open:
            self._states[settle.inference_id] = None

    def take_feedback(self, place: tuple[int, int], feedback: Feedback) -> None:
        """A user says something; `place` is writer and number of the entry."""
        self.feedback.append((place, feedback))

    def _take_only(self, intent: Intent, settle: Settle) -> None:
        """The usual inference: one attempt, and it is over."""
        self.usual.add(intent, settle)
        if self.rows:
            self.rows.pop(settle.inference_id, None)
        if intent.prompt is not None:
            attempt = SettledAttempt(intent, settle)
            self.prompts.add_last((attempt,), intent.prompt, was_over=False)
        if intent.cause != "first":
            self._tell_ladder([SettledAttempt(intent, settle)], was_over=False)

    def _tell_ladder(self, settled: list[SettledAttempt], *, was_over: bool) -> None:
        sample = ladder_sample(settled, was_over=was_over)
        if sample is not None:
            self.ladder.append(sample)

    def _state(self, inference_id: str) -> InferenceState | None:
        begun = self._begun.pop(inference_id, None)
        if begun is not None:
            self._states[inference_id] = InferenceState(
                begun[1].started_ns, {1: OpenAttempt(*begun)}
            )
        elif inference_id not in self._states:
            self._states[inference_id] = self._load(inference_id)
        return self._states[inference_id]


def _extended(intent: Intent, extension: Extension) -> Intent:
    return msgspec.structs.replace(intent, hold_nanousd=extension.hold_nanousd)


def _sample(intent: Intent, settle: Settle, cost_nanousd: int) -> NewSample:
    """What a settle adds; `cost_nanousd` is of the whole inference."""
    caller, usage = intent.caller, settle.usage
    counts, measures = _NOT_COUNTED, None
    if settle.final:
        counts = ONE_OF[settle.outcome]
        latency_us, ttft_us = settle.latency_us, settle.ttft_us
        measures = (
            latency_us,
            _bucket_of(latency_us),
            ttft_us or 0,
            None if ttft_us is None else _bucket_of(ttft_us),
            _bucket_of(cost_nanousd),
        )
    return (
        intent.started_ns // NS_PER_S,
        intent.route,
        f"{intent.provider}:{intent.model}",
        caller.user,
        caller.key_id,
        caller.team,
        (
            *counts,
            usage.input_tokens,
            usage.cache_read_tokens,
            usage.cache_write_tokens,
            usage.output_tokens,
            usage.reasoning_tokens,
            settle.cost_nanousd,
            settle.cost_nanousd if settle.usage_source == "estimated" else 0,
        ),
        measures,
    )
