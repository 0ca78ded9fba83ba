"""Holds the ledger against what callers got and providers reported, while both go on.

What agrees is forgotten at once, so that an hour of it fits into memory.
"""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from trimtab.testing import Call
from trimtab.types.records import Intent, Settle
from whole.money import reported_cost
from whole.soak_callers import Told
from whole.soak_faults import RATES

_MOST_ROWS = 20_000
_PROVIDERS = {"one": "one", "narrow": "one", "no-tls": "one", "away": "", "two": "two"}


class Entry(msgspec.Struct):
    """The attempts of one inference so far."""

    intents: dict[int, Intent]
    settles: dict[int, Settle]

    @property
    def over(self) -> bool:
        return self.intents.keys() == self.settles.keys() and any(
            settle.final for settle in self.settles.values()
        )


class Books:
    """Reads the ledger on as it grows.

    Attributes:
        open: inferences that are not over, or of which the caller has not said what it got.
        agreed: inferences that are over and agree.
        wrong: what must never be, in words.
        seen: counts of causes and outcomes.
        calls: what each provider saw.
        intents: calls that the ledger knows of, by provider.
        matched, matched_nanousd: attempts whose usage both sides know, and what they cost.
        cost_nanousd: what all attempts cost.
        unsure: usages of which the provider cannot say whether it had sent them: few.
    """

    def __init__(self, folder: Path, told: dict[str, Told]) -> None:
        self._path = folder / ".trimtab" / "ledger.sqlite"
        self._place = (0, 0)
        self._told = told
        self._sessions: dict[str, str] = {}
        self.open: dict[str, Entry] = {}
        self.agreed = 0
        self.wrong: list[str] = []
        self.seen: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.intents: Counter[str] = Counter()
        self.matched = 0
        self.matched_nanousd = 0
        self.cost_nanousd = 0
        self.unsure = 0
        self._cut_off: set[tuple[str, int]] = set()
        self._usages: dict[tuple[str, int], dict[str, Any] | None] = {}
        self._reported: dict[tuple[str, int], tuple[Intent, Settle]] = {}

    # ------------------------------------------------------------ the provider's side

    def on_call(self, provider: str, call: Call) -> None:
        """A call has ended at a provider."""
        self.calls[provider] += 1
        key = (provider, call.index)
        claimed = self._reported.pop(key, None)
        if call.usage_reported is None and call.ended_by == "caller closed":
            # It notes bytes a moment after they went out, and nothing once the other side is gone.
            self.unsure += claimed is not None
            self._cut_off.add(key)
        elif claimed is not None:
            self._compare(key, call.usage_reported, claimed)
        elif call.usage_reported is not None:
            self._usages[key] = call.usage_reported

    def _claim(self, intent: Intent, settle: Settle) -> None:
        """A settle says that this usage was reported."""
        number = settle.provider_request_id.removeprefix("req_")
        key = (_PROVIDERS[intent.provider], int(number))
        if key in self._usages:
            self._compare(key, self._usages.pop(key), (intent, settle))
        elif key in self._cut_off:
            self.unsure += 1
        else:
            self._reported[key] = (intent, settle)  # the provider has not noted its end yet

    def _compare(
        self,
        key: tuple[str, int],
        usage: dict[str, Any] | None,
        claimed: tuple[Intent, Settle],
    ) -> None:
        intent, settle = claimed
        if usage is None:
            self.wrong.append(f"call {key} reported no usage, the ledger says it did: {settle}")
            return
        cost = reported_cost(RATES[intent.model], usage)
        if cost != settle.cost_nanousd:
            self.wrong.append(f"call {key} reported {usage}, which is {cost}: {settle}")
        self.matched += 1
        self.matched_nanousd += cost

    # ------------------------------------------------------------ the ledger's side

    def read(self) -> int:
        """Take in what is new; returns how many entries that were."""
        with closing(sqlite3.connect(self._path)) as db:
            rows = db.execute(
                "SELECT writer, seq, kind, body FROM entries WHERE (writer, seq) > (?, ?) "
                "ORDER BY writer, seq LIMIT ?",
                (*self._place, _MOST_ROWS),
            ).fetchall()
        for writer, seq, kind, body in rows:
            self._place = (writer, seq)
            if kind == "intent":
                self._take_intent(msgspec.json.decode(body, type=Intent))
            else:
                self._take_settle(msgspec.json.decode(body, type=Settle))
        return len(rows)

    def _take_intent(self, intent: Intent) -> None:
        entry = self.open.setdefault(intent.inference_id, Entry({}, {}))
        if intent.attempt in entry.intents:
            self.wrong.append(f"an intent is there twice: {intent}")
        entry.intents[intent.attempt] = intent
        session = intent.caller.session
        known = self._sessions.setdefault(session, intent.inference_id)
        if known != intent.inference_id:
            self.wrong.append(f"one request, two inferences: {known} and {intent.inference_id}")
        self.seen[f"cause {intent.cause}"] += 1
        if intent.cause not in {"cache", "stale"}:
            self.intents[_PROVIDERS[intent.provider]] += 1

    def _take_settle(self, settle: Settle) -> None:
        entry = self.open.get(settle.inference_id)
        if entry is None or settle.attempt not in entry.intents:
            self.wrong.append(f"a settle without an intent: {settle}")
            return
        if settle.attempt in entry.settles:
            self.wrong.append(f"a settle is there twice: {settle}")
        entry.settles[settle.attempt] = settle
        self.seen[f"outcome {settle.outcome} {settle.error_code}".strip()] += 1
        self.cost_nanousd += settle.cost_nanousd
        if settle.usage_source == "reported":
            self._claim(entry.intents[settle.attempt], settle)
        if settle.usage_source == "none" and settle.cost_nanousd:
            self.wrong.append(f"nothing was used, and it cost: {settle}")

    # ------------------------------------------------------------ both

    def agree(self) -> None:
        """Compare what is over, and forget it."""
        for inference_id, entry in list(self.open.items()):
            session = next(iter(entry.intents.values())).caller.session
            if entry.over and session in self._told:
                told = self._told.pop(session)
                problem = _difference(inference_id, entry, told)
                if problem:
                    self.wrong.append(f"{problem}: {told} {entry}")
                self.agreed += 1
                del self.open[inference_id]
                del self._sessions[session]

    def check_end(self) -> None:
        """What is left when nobody asks any more: refusals before any call, early leavers."""
        self.wrong += [f"not over: {entry}" for entry in self.open.values()]
        self.wrong += [
            f"answered and not on record: {session} {told}"
            for session, told in self._told.items()
            if told.kind not in {"refused", "left"}
        ]
        self.wrong += [f"claimed by the ledger only: {pair}" for pair in self._reported.values()]
        if self.unsure > 1 + self.matched / 1_000:
            self.wrong.append(f"{self.unsure} usages that providers do not know of")
        for provider in ("one", "two"):
            if self.calls[provider] > self.intents[provider]:
                self.wrong.append(
                    f"{provider} saw {self.calls[provider]} calls, the ledger "
                    f"{self.intents[provider]}"
                )

    @property
    def unclaimed(self) -> int:
        """Usages that a provider reported to somebody who did not hear it."""
        return len(self._usages)


def _difference(inference_id: str, entry: Entry, told: Told) -> str:
    """What callers and ledger do not agree about, or ""."""
    finals = [settle for settle in entry.settles.values() if settle.final]
    if len(finals) != 1:
        return f"{len(finals)} final settles"
    (final,) = finals
    if sorted(entry.intents) != list(range(1, len(entry.intents) + 1)):
        return "attempts are not numbered one by one"
    if told.request_id and told.request_id != inference_id:
        return "another request id"
    if told.kind == "whole":
        return _difference_of_whole(final, entry, told)
    if told.kind != "left" and final.outcome == "ok":
        return "the caller got no answer, and the ledger says that all went well"
    return ""


def _difference_of_whole(final: Settle, entry: Entry, told: Told) -> str:
    if final.outcome != "ok":
        return "the caller got a whole answer, and the ledger says otherwise"
    continued = any(intent.cause == "continue" for intent in entry.intents.values())
    if not continued and told.served != final.served_model:
        return "another model in the headers"
    if told.cost is not None and told.cost != final.cost_nanousd:
        return "another cost in the headers"
    return ""
