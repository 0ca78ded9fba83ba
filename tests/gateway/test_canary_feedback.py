"""Thumbs down as a guard of canaries: late feedback, changed shares, one word per inference."""

import heapq
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec

from gateway.test_canary import released_and_tried, settle, use
from gateway.test_form import GOOD, play
from gateway.test_prompted import ADA, Stage, stage
from harness import Reply, wait_until
from trimtab.gateway.canary import REFERENCE, CanaryWatch, Evidence
from trimtab.gateway.canary_file import encoded
from trimtab.prompts.library import load_library
from trimtab.releases.edit import Trying, try_out
from trimtab.releases.file import load_releases
from trimtab.releases.serving import PromptDesk, Trial, open_desk
from trimtab.stats.sequential_guards import GuardReading, GuardVerdict
from trimtab.testing import Behaviour, FrozenClock
from trimtab.types.clock import NS_PER_S
from trimtab.types.feedback import Feedback
from trimtab.types.records import Arm


class Given(NamedTuple):
    at_s: float
    number: int
    arm: Arm
    bad: bool
    began_s: float


class Crowd:
    """Users of a prompt, whose feedback comes late, and bad feedback sooner than good."""

    def __init__(self, desk: PromptDesk, seed: int) -> None:
        self.clock = FrozenClock()
        self.watch = CanaryWatch(self.clock)
        self.paused: list[GuardVerdict] = []
        self.watch.on_worse = self._on_worse
        self.random = Random(seed)
        self.number = 0
        self.waiting: list[Given] = []
        self.began_ns = self.clock.wall_ns()
        self.serve(desk)
        for _ in range(REFERENCE):
            seat = self.watch.seat(use(desk, "released"), "")
            assert seat is not None
            seat.end(settle(self.random, invalid=0.0, failed=0.0), cost_nanousd=1)

    def serve(self, desk: PromptDesk) -> None:
        self.desk = desk
        self.watch.use("production", desk.trials())

    def _on_worse(self, name: str, _trial: Trial, verdict: GuardVerdict) -> None:
        self.paused.append(verdict)

    def now_s(self) -> float:
        return (self.clock.wall_ns() - self.began_ns) / NS_PER_S

    def come(self, count: int, *, share: float, worse: float = 0.2) -> None:
        """So many more, one a minute; a third of them say something."""
        random = self.random
        for _ in range(count):
            self.clock.advance(60.0)
            self.number += 1
            arm: Arm = "canary" if random.random() < share else "released"
            bad = random.random() < (worse if arm == "canary" else 0.2)
            if random.random() < 0.33:
                at_s = self.now_s() + random.expovariate(1 / (600 if bad else 14_400))
                given = Given(at_s, self.number, arm, bad, self.now_s())
                heapq.heappush(self.waiting, given)
            while self.waiting and self.waiting[0].at_s <= self.now_s():
                self.say(heapq.heappop(self.waiting))

    def say(self, given: Given, user: str = "") -> None:
        feedback = Feedback(
            inference_id=f"inf_{given.number}",
            started_ns=self.began_ns + round(given.began_s * NS_PER_S),
            given_ns=self.clock.wall_ns(),
            metric="thumbs",
            value=not given.bad,
            bad=given.bad,
            prompt=use(self.desk, given.arm),
        )
        self.watch.hear(feedback, user)

    def reading(self) -> GuardReading:
        [verdict] = self.watch.verdicts().values()
        [found] = [one for one in verdict.readings if one.metric == "thumbs_down"]
        return found


def with_share(folder: Path, share: float) -> PromptDesk:
    """The same version, tried on another share."""
    library = load_library(folder)
    tried = library.prompts["team"]
    model = "one:fault:main"
    try_out(library, "production", tried, model=model, author=ADA, trying=Trying(share))
    return open_desk(folder, "production")


def test_a_version_that_is_disliked_more_is_noticed(project_folder: Path) -> None:
    desk = released_and_tried(project_folder, share=0.2)
    found = [Crowd(desk, seed) for seed in range(20)]
    for crowd in found:
        crowd.come(4_000, share=0.2, worse=0.5)
    assert [crowd.paused[0].metric for crowd in found if crowd.paused] == ["thumbs_down"] * 20


def test_one_that_is_liked_as_much_is_not_though_its_share_changes(project_folder: Path) -> None:
    few = released_and_tried(project_folder, share=0.05)
    many = with_share(project_folder, 0.6)
    paused = 0
    for seed in range(60):
        crowd = Crowd(few, seed)
        crowd.come(2_000, share=0.05)
        crowd.serve(many)
        crowd.come(2_000, share=0.6)
        paused += bool(crowd.paused)
        assert crowd.reading().candidate.inferences > 200
    assert paused <= 3


def test_only_what_is_of_this_trial_counts_and_once(project_folder: Path) -> None:
    few = released_and_tried(project_folder, share=0.2)
    crowd = Crowd(few, 1)
    crowd.clock.advance(100.0)
    for _ in range(3):
        crowd.say(Given(0, 1, "canary", bad=True, began_s=50.0))
    assert crowd.reading().candidate.inferences == 1
    crowd.say(Given(0, 2, "canary", bad=True, began_s=-50.0))
    crowd.say(Given(0, 3, "released", bad=True, began_s=50.0))
    assert crowd.reading().candidate.inferences == 1, "it began before the trial"
    assert crowd.reading().released.inferences == 1
    for number in range(10, 20):
        crowd.say(Given(0, number, "canary", bad=True, began_s=50.0), "ana")
    assert crowd.reading().candidate.inferences == 6, "five of a user"
    crowd.serve(with_share(project_folder, 0.5))
    crowd.say(Given(0, 30, "canary", bad=True, began_s=50.0))
    assert crowd.reading().candidate.inferences == 6, "it began with another share"
    crowd.clock.advance(1.0)
    crowd.say(Given(0, 31, "canary", bad=True, began_s=crowd.now_s()))
    assert crowd.reading().candidate.inferences == 7


def test_what_was_said_before_the_guards_begin_is_what_is_usual(project_folder: Path) -> None:
    desk = released_and_tried(project_folder, share=0.2)
    early = CanaryWatch(FrozenClock())
    early.use("production", desk.trials())
    for number in range(50):
        early.hear(
            Feedback(
                inference_id=f"inf_{number}",
                started_ns=1 << 62,
                given_ns=1 << 62,
                metric="thumbs",
                value=number % 2 == 0,
                bad=number % 2 == 1,
                prompt=use(desk, "canary" if number % 5 == 0 else "released"),
            ),
            "",
        )
    [evidence] = early.evidence().values()
    assert (evidence.thumbs_down, evidence.thumbs) == (20, 40)
    for _ in range(REFERENCE):
        seat = early.seat(use(desk, "released"), "")
        assert seat is not None
        seat.end(settle(Random(1), invalid=0.0), cost_nanousd=1)
    test = evidence.rates["thumbs_down"]
    assert test.supposed_bad / test.supposed_count > 0.45
    assert len(early.verdicts()["team"].readings) == 5
    assert early.verdicts()["team"].readings[0].needed == 100


def test_evidence_goes_on_with_its_share(project_folder: Path) -> None:
    desk = released_and_tried(project_folder, share=0.2)
    first, second, third = Crowd(desk, 1), Crowd(desk, 1), Crowd(desk, 1)
    first.come(300, share=0.2)
    kept = encoded(first.watch.evidence())
    decode = msgspec.json.Decoder(dict[str, Evidence]).decode
    second.watch.go_on(decode(kept))
    assert second.reading() == first.reading()
    third.serve(with_share(project_folder, 0.4))
    third.watch.go_on(decode(kept))
    [evidence] = third.watch.evidence().values()
    assert (evidence.share, evidence.share_ns) == (0.4, third.clock.wall_ns())
    old = msgspec.json.decode(kept)
    for one in old.values():
        for name in ("share", "share_ns", "thumbs", "thumbs_down"):
            one.pop(name, None)
        del one["rates"]["thumbs_down"]
    older = Crowd(desk, 2)
    older.watch.go_on(decode(msgspec.json.encode(old)))
    older.say(Given(0, 1, "canary", bad=True, began_s=0.0))
    assert len(older.watch.verdicts()["team"].readings) == 4, "it began without this guard"


def give(on: Stage, asked: Reply, *, value: bool) -> None:
    body = {"inference_id": asked.headers["x-request-id"], "metric": "thumbs", "value": value}
    reply = on.gateway.request("/v1/feedback", json.dumps(body).encode())
    assert reply.status == 200, reply.body


def asked(on: Stage, count: int, first: int = 0) -> Iterator[Reply]:
    for number in range(first, first + count):
        yield on.ask(prompt={"id": "team"}, user_name=f"user-{number}")


def test_thumbs_down_pause_a_canary_of_the_gateway(project_folder: Path) -> None:
    released_and_tried(project_folder, share=0.3)
    with stage(project_folder, "production") as on:
        play(on, Behaviour(text=GOOD))
        for reply in asked(on, 180):
            give(on, reply, value=True)
    with stage(project_folder, "production") as on:  # a restart keeps what was said
        play(on, Behaviour(text=GOOD))

        def paused() -> str:
            canary = load_releases(project_folder, "production").prompts["team"].canary
            return canary.paused if canary is not None else ""

        for reply in asked(on, 300, first=180):
            tried = reply.headers["x-trimtab-prompt"] == "team@v2"
            give(on, reply, value=not tried)
            give(on, reply, value=not tried)  # clients try again
            if paused():
                break
        reason = wait_until(paused)
        assert reason.startswith("thumbs_down: ")
        assert "pauses at 100" in reason
        on.gateway.wait_for_log("Canary v2 of prompt team in production is paused")
        versions = {reply.headers["x-trimtab-prompt"] for reply in asked(on, 60, first=900)}
        assert versions == {"team@v1"}


def test_nobody_says_anything(project_folder: Path) -> None:
    crowd = Crowd(released_and_tried(project_folder, share=0.2), 1)
    reading = crowd.reading()
    assert (reading.evidence, reading.candidate.inferences) == (1.0, 0)
