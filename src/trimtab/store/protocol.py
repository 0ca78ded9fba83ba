"""The borders of the store: what the gateway, the insights and the command line may ask of it."""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from trimtab.store.answers import CachedAnswer
from trimtab.store.feedback import FeedbackFacts, GivenFeedback
from trimtab.store.receipt import Receipt
from trimtab.store.records import (
    AttemptRecord,
    Dimension,
    Event,
    EventPage,
    EventQuery,
    GroupSummary,
    LadderSummary,
    Measure,
    OpenIntent,
    PromptFacts,
    SpendFacts,
    Visits,
)
from trimtab.types.breakers import BreakerRecord
from trimtab.types.experiments import Experiment, Mark, Row, RowHead
from trimtab.types.feedback import Feedback
from trimtab.types.identity import Key
from trimtab.types.records import Extension, Intent, Settle

__all__ = ["AnswerStore", "Comments", "Experiments", "KeyStore", "Ledger", "Reader"]


class Ledger(Protocol):
    """Where every attempt is written down. Called on the event loop's thread; never blocks it."""

    @property
    def trouble(self) -> str | None:
        """Why the last write failed; None if it did not."""
        ...

    @property
    def backlog(self) -> int:
        """How many records wait to be written."""
        ...

    @property
    def dropped_bodies(self) -> int:
        """Bodies that were not kept, since the start."""
        ...

    def check_open(self) -> None:
        """Raise `LedgerUnavailable` if the last write failed: do not call a provider now."""
        ...

    def record_intent(self, intent: Intent) -> Receipt:
        """Done when the intent is on the disk; fails with `LedgerUnavailable`.

        Raises:
            Overloaded: too much is waiting to be written.
        """
        ...

    def record_extension(self, extension: Extension) -> None:
        """Append it before whatever is recorded later; nobody waits for it."""
        ...

    def record_settle(self, settle: Settle) -> Receipt:
        """Done when the settle survives the death of this process. It is never dropped."""
        ...

    def record_feedback(self, feedback: Feedback) -> Receipt:
        """Done when it is on the disk; fails with `LedgerUnavailable`, and is then forgotten.

        Raises:
            Overloaded: too much is waiting to be written.
        """
        ...

    def record_body(  # noqa: PLR0917 - what was asked, then what was answered
        self, inference_id: str, started_ns: int, request: bytes, response: bytes
    ) -> None:
        """Keep what was said, if there is room; a body that found none is counted."""
        ...

    async def close(self) -> None:
        """Write everything that waits, then stop."""
        ...


class KeyStore(Protocol):
    """Credentials of applications, and of people for the console.

    `find` and `generation` are on the request path and read memory only.
    """

    def generation(self) -> object:
        """A value that changes whenever a key is made or revoked, in whichever process."""
        ...

    def create(self, name: str, team: str = "", *, console: bool = False) -> tuple[Key, str]:
        """A new key and its secret, which is shown once and not kept.

        With `console` it opens the console and nothing else.

        Raises:
            UsageError: a valid key of that name exists, or the name is empty.
        """
        ...

    def list(self) -> list[Key]:
        """All keys, revoked ones included, in order of creation."""
        ...

    def revoke(self, reference: str) -> Key:
        """Make a key, named by id, prefix or name, invalid in every process at once.

        Raises:
            UsageError: no valid key, or several, are meant by `reference`.
        """
        ...

    def find(self, secret: str) -> Key | None:
        """The valid key with this secret."""
        ...

    def any_configured(self) -> bool:
        """A key was made at some time, so the gateway is not open to everyone."""
        ...


class Reader(Protocol):
    """Questions about what happened, from any thread. Ranges are UTC ns, the end excluded."""

    def usage_by(
        self,
        dimension: Dimension,
        since_ns: int,
        until_ns: int,
        *,
        values: Collection[str] | None = None,
        measures: Collection[Measure] = ("latency", "ttft", "cost"),
    ) -> list[GroupSummary]:
        """One summary for each value of `dimension` that was seen, the costliest first.

        With `values`, of those only. Only the histograms of `measures` are filled;
        the fewer, the faster.
        """
        ...

    def usage_over_time(  # noqa: PLR0917 - what, and from when to when
        self,
        dimension: Dimension,
        value: str,
        since_ns: int,
        until_ns: int,
        *,
        step_s: int,
        measures: Collection[Measure] = ("latency", "ttft", "cost"),
    ) -> list[GroupSummary]:
        """One summary of `value` for each step that saw anything, oldest first.

        Steps begin at multiples of `step_s` seconds (UTC); those at both ends are whole ones.

        Raises:
            UsageError: `step_s` is not a multiple of 60 (total, route, model) or 3600.
        """
        ...

    def cost_per_user(self, since_ns: int, until_ns: int) -> dict[str, int]:
        """Nano-dollars of every user that was seen, in whole hours; much faster than `usage_by`."""
        ...

    def ladders(self, since_ns: int, until_ns: int) -> list[LadderSummary]:
        """What ladders did, by route, cause and rung, in the whole minutes of `usage_by`.

        Asked before `usage_by("route")` of the same range, it tells of no inference that the
        latter does not know.
        """
        ...

    def spend_facts(self, edges_ns: Sequence[int]) -> list[SpendFacts]:
        """What a bill is explained by, summed up between each two neighbours of `edges_ns`.

        Edges ascend, and are moved back to full hours. The costs of all facts add up to what
        `usage_by` tells of the same hours. Kept as long as rollups are.
        """
        ...

    def visits(self, edges_ns: Sequence[int]) -> list[Visits]:
        """Users and sessions between each two neighbours of `edges_ns`, as in `spend_facts`."""
        ...

    def prompt_facts(
        self, since_ns: int, until_ns: int, *, step_s: int = 0, prompt: str | None = None
    ) -> list[PromptFacts]:
        """What versions did: by step, and in it by prompt, version, hash and arm, in this order.

        Ends are moved outwards to full hours. With `step_s` there is one of each for each step
        that saw anything; steps begin at multiples of it (UTC), and those at both ends are whole.
        With `prompt`, of this one only. Kept as long as rollups are.

        Raises:
            UsageError: `step_s` is not a multiple of 3600.
        """
        ...

    def unsettled(self, since_ns: int, until_ns: int) -> list[OpenIntent]:
        """Attempts without a settle, of dead writers and (`in_flight`) of live ones."""
        ...

    def event_page(self, query: EventQuery) -> EventPage:
        """A page of inferences. Following `next` misses none and repeats none.

        Raises:
            UsageError: the query names an unknown field or order, or a page that never was.
        """
        ...

    def event(self, inference_id: str) -> Event | None:
        """One inference, once an attempt of it is settled."""
        ...

    def attempts(self, inference_id: str) -> list[AttemptRecord]:
        """The attempts of an inference, unsettled ones included, in order of number.

        An answer from the response cache is one of them, told apart by its cause.
        """
        ...

    def feedback_on(self, inference_id: str) -> list[GivenFeedback]:
        """What users say of an inference, in the order in which it was given."""
        ...

    def feedback_facts(
        self, since_ns: int, until_ns: int, *, step_s: int = 0, prompt: str | None = None
    ) -> list[FeedbackFacts]:
        """What was said of versions, by when it was given: by step, prompt, version and so on.

        With `step_s` there is one of each for each step in which anything was given; steps begin
        at multiples of it (UTC). With `prompt`, of this one only. Kept as long as rollups are.
        """
        ...

    def breakers(self) -> list[BreakerRecord]:
        """Breakers as the gateway last told of them; none where nothing is known."""
        ...

    def first_day(self) -> str | None:
        """The oldest UTC day (`2026-10-01`) of which single inferences are kept."""
        ...

    def body(self, inference_id: str) -> tuple[bytes, bytes] | None:
        """Request and response of an inference, if they were kept."""
        ...


class Comments(Protocol):
    """What users write beside their feedback; it goes with the day of its inference."""

    def keep(self, feedback: Feedback, comment: str) -> None:
        """Keep it in the place of an earlier one. Blocks; for any thread but the event loop's.

        Raises:
            StoreError: it cannot be written.
        """
        ...


class AnswerStore(Protocol):
    """Answers that outlive the process. A cache: it may lose any of them, and never fails.

    Attributes:
        most_bytes: size above which the oldest answers go; may be changed at any time.
        dropped: answers that found no room in the queue, or that the disk refused.
    """

    most_bytes: int
    dropped: int

    def stamps(self, most: int) -> list[tuple[bytes, int]]:
        """Keys of the newest `most` answers and the UTC ns of their making, the oldest first.

        Blocks; for any thread but the event loop's.
        """
        ...

    def load(self, key: bytes) -> CachedAnswer | None:
        """An answer, if it is there and can be read soon.

        Blocks; for any thread but the event loop's.
        """
        ...

    def forget_before(self, created_ns: int) -> None:
        """Delete answers that were made before a UTC time. Blocks; for any other thread."""
        ...

    def put(self, key: bytes, answer: CachedAnswer) -> bool:
        """Queue an answer to be written; False if there is no room. Never blocks."""
        ...

    def close(self) -> None:
        """Write what waits, then stop. Blocks."""
        ...


class Experiments(Protocol):
    """Answers to cases, and what evaluators say of them. From any thread; every method blocks.

    All raise `StoreError` where the file cannot be used.
    """

    def keep(self, rows: Sequence[Row], marks: Sequence[Mark], *, since_ns: int = 0) -> list[Row]:
        """Write them; they are on the disk when this returns.

        An answer takes the place of an error, and an error that of an older one. An answer from
        `since_ns` (UTC) or later is not replaced: another one with its key is kept out, and only
        the time is noted at which its model was seen again. An older one gives way to an answer,
        with its marks.

        Returns:
            For each row the one that is there now; marks are about this one.
        """
        ...

    def row_heads(self, setup_hash: str) -> list[RowHead]:
        """The rows of a setup, in no order."""
        ...

    def rows(self, setup_hash: str) -> Iterator[Row]:
        """The rows of a setup by case and repeat; not all in memory at once."""
        ...

    def marks(self, setup_hash: str, evaluator_hashes: Collection[str]) -> Iterator[Mark]:
        """What some evaluators say of a setup's rows, in the order of `rows`."""
        ...

    def keep_experiment(self, experiment: Experiment) -> None:
        """Write it, or write it anew."""
        ...

    def experiments(self, most: int, *, suite: str | None = None) -> list[Experiment]:
        """The newest ones first, without their summaries."""
        ...

    def experiment(self, experiment_id: str) -> Experiment | None:
        """One with its summary."""
        ...
