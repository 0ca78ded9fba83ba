"""A canary that is worse is paused, with the reason; one that is not goes on."""

from pathlib import Path
from random import Random

import msgspec

from gateway.test_form import GOOD, play
from gateway.test_prompted import ADA, Stage, stage, write_prompt
from harness import wait_until
from trimtab.gateway.canary import REFERENCE, CanarySeat, CanaryWatch, Evidence
from trimtab.gateway.canary_file import CanaryFile, encoded
from trimtab.prompts.library import load_library
from trimtab.releases.edit import Trying, promote, try_out
from trimtab.releases.file import load_releases
from trimtab.releases.serving import PromptDesk, Trial, open_desk
from trimtab.stats.sequential_guards import GuardVerdict
from trimtab.store.records import Event, EventQuery
from trimtab.testing import Behaviour
from trimtab.types.clock import SystemClock
from trimtab.types.records import Arm, PromptUse, Settle

PROMPT = """\
---
model: %s
output: {schema: {team: string}}
---
Which team%s?
"""


def released_and_tried(folder: Path, *, share: float, model: str = "main") -> PromptDesk:
    """v1 is released, v2 is tried by a share of the users."""
    for words, words_model in ((" is it", "main"), (" knows", model)):
        write_prompt(folder, PROMPT.replace("%s", words_model, 1).replace("%s", words), "team")
        library = load_library(folder)
        prompt = library.prompts["team"]
        if words_model != model or words == " is it":
            promote(library, "production", prompt, model="one:fault:main", author=ADA, force=True)
        if words == " knows":
            trying = Trying(share)
            pin = f"one:fault:{model}"
            try_out(library, "production", prompt, model=pin, author=ADA, trying=trying)
    return open_desk(folder, "production")


def use(desk: PromptDesk, arm: Arm) -> PromptUse:
    trial = desk.trials()["team"]
    served = trial.served if arm == "canary" else trial.released
    found = served.prompt.version_hash
    return PromptUse(id="team", version=served.label, hash=found, arm=arm, environment="production")


def settle(random: Random, *, invalid: float, failed: float = 0.01) -> Settle:
    bad = random.random() < failed
    form = "invalid" if random.random() < invalid else "ok"
    return Settle(
        inference_id="i",
        attempt=1,
        ended_ns=0,
        outcome="error" if bad else "ok",
        latency_us=int(random.lognormvariate(13, 0.5)),
        form="" if bad else form,
        cost_nanousd=int(random.lognormvariate(12, 1)),
    )


class Watched:
    def __init__(self, desk: PromptDesk) -> None:
        self.verdicts: list[GuardVerdict] = []
        self.watch = CanaryWatch(SystemClock())
        self.watch.on_worse = self._on_worse
        self.serve(desk)

    def serve(self, desk: PromptDesk) -> None:
        self.desk = desk
        self.watch.use("production", desk.trials())

    def seat(self, arm: Arm, user: str = "") -> CanarySeat | None:
        return self.watch.seat(use(self.desk, arm), user)

    def counted(self) -> int:
        """Inferences of the candidate that count, of the guard that has most."""
        (verdict,) = self.watch.verdicts().values()
        return max(reading.candidate.inferences for reading in verdict.readings)

    def _on_worse(self, name: str, _trial: Trial, verdict: GuardVerdict) -> None:
        assert name == "team"
        self.verdicts.append(verdict)

    def feed(self, random: Random, count: int, *, invalid: float, share: float = 0.2) -> int:
        """Inferences until the canary is paused; answers how many candidates there were."""
        candidates = 0
        for _ in range(count):
            candidate = random.random() < share
            candidates += candidate
            seat = self.seat("canary" if candidate else "released")
            if seat is None:
                break
            made = settle(random, invalid=invalid if candidate else 0.04)
            seat.end(made, cost_nanousd=made.cost_nanousd)
        return candidates


def test_a_worse_form_is_noticed_and_a_good_one_is_not(project_folder: Path):
    desk = released_and_tried(project_folder, share=0.2)
    needed: list[int] = []
    for seed in range(20):
        worse = Watched(desk)
        needed.append(worse.feed(Random(seed), 5_000, invalid=0.14))
        assert [verdict.metric for verdict in worse.verdicts] == ["format"], seed
    assert sorted(needed)[17] < 500, "nine times in ten"
    paused = 0
    for seed in range(60):
        same = Watched(desk)
        same.feed(Random(seed), 3_000, invalid=0.04)
        paused += bool(same.verdicts)
    assert paused <= 6


def test_what_ends_is_fed_in_the_order_in_which_it_began(project_folder: Path):
    desk = released_and_tried(project_folder, share=0.2)
    watched = Watched(desk)
    random = Random(1)
    watched.feed(random, REFERENCE * 2, invalid=0.0, share=0.0)
    slow = watched.seat("released")
    assert slow is not None
    for _ in range(200):
        seat = watched.seat("canary")
        assert seat is not None
        seat.end(settle(random, invalid=0.0, failed=0.0), cost_nanousd=1)
    (verdict,) = watched.watch.verdicts().values()
    assert all(reading.candidate.inferences == 0 for reading in verdict.readings)
    slow.leave()  # the caller left: it says nothing, and holds nothing up
    assert watched.counted() == 200


def test_one_user_is_no_crowd(project_folder: Path):
    watched = Watched(released_and_tried(project_folder, share=0.2))
    seats = [watched.seat("canary", "ana") for _ in range(50)]
    assert sum(seat is not None for seat in seats) == 5


def test_evidence_goes_on_in_another_process(project_folder: Path):
    desk = released_and_tried(project_folder, share=0.2)
    alone, first = Watched(desk), Watched(desk)
    alone_random, random = Random(3), Random(3)
    for watched, dice in ((alone, alone_random), (first, random)):
        watched.feed(dice, 400, invalid=0.04)
    assert first.seat("canary", "ana") is not None
    data = project_folder / "data"
    data.mkdir()
    file = CanaryFile(data)
    file.write(encoded(first.watch.evidence()))
    beside = CanaryFile(data)
    assert beside.read() == {}, "another process at the same time has its own"
    file.close()
    file, second, third = CanaryFile(data), Watched(desk), Watched(desk)
    second.watch.go_on(file.read())
    third.watch.go_on(file.read())
    assert second.watch.verdicts() == alone.watch.verdicts()
    for watched, dice in ((alone, alone_random), (second, random)):
        watched.feed(dice, 3_000, invalid=0.14)
    assert second.verdicts == alone.verdicts != []
    assert sum(third.seat("canary", "ana") is not None for _ in range(9)) == 4, "five in all"


def test_a_file_of_evidence_that_is_damaged_is_none(tmp_path: Path):
    file = CanaryFile(tmp_path)
    for data in (b"", b"[]", b'{"a": {"reference": 3}}', b"\xff"):
        file.write(data)
        assert file.read() == {}


def test_evidence_is_on_one_pair_of_versions(project_folder: Path):
    watched = Watched(released_and_tried(project_folder, share=0.2))
    before = use(watched.desk, "canary")
    watched.feed(Random(1), 300, invalid=0.04)
    assert watched.counted() > 0
    library = load_library(project_folder)
    tried, name = library.prompts["team"], "production"
    try_out(library, name, tried, model="one:fault:main", author=ADA, trying=Trying(0.5))
    watched.serve(open_desk(project_folder, name))
    assert watched.counted() > 0, "a larger share is the same trial"
    try_out(library, name, tried, model="one:fault:third", author=ADA, trying=Trying(0.5))
    watched.serve(open_desk(project_folder, name))
    assert not watched.watch.verdicts(), "at another model it is another trial"
    watched.feed(Random(1), 300, invalid=0.04)
    write_prompt(project_folder, PROMPT.replace("%s", "main", 1).replace("%s", " was it"), "team")
    library = load_library(project_folder)
    model = "one:fault:main"
    promote(library, name, library.prompts["team"], model=model, author=ADA, force=True)
    watched.serve(open_desk(project_folder, name))
    assert not watched.watch.verdicts(), "and so it is beside another version"
    try_out(library, name, library.version("team", "v1"), model=model, author=ADA, trying=Trying(1))
    watched.serve(open_desk(project_folder, name))
    assert watched.watch.seat(before, "") is None, "it began when another version was tried"


def test_a_canary_with_a_worse_form_is_paused_by_the_gateway(project_folder: Path):
    released_and_tried(project_folder, share=0.3, model="other")
    with stage(project_folder, "production") as on:
        play(on, Behaviour(text=GOOD))
        on.provider.play("fault:other", Behaviour(text="no JSON"))

        def ask_many(on: Stage) -> bool:
            for number in range(400):
                reply = on.ask(prompt={"id": "team"}, user_name=f"user-{number}")
                assert reply.status == 200
            return True

        ask_many(on)
        file = project_folder / "releases/production.toml"

        def paused() -> str:
            canary = load_releases(project_folder, "production").prompts["team"].canary
            return canary.paused if canary is not None else ""

        reason = wait_until(paused)
        assert "format: 1 (" in reason
        assert "of the candidate" in reason
        assert 'who = "trimtab (guard)"' in file.read_text()
        on.gateway.wait_for_log("Canary v2 of prompt team in production is paused")
        versions = {
            on.ask(prompt={"id": "team"}, user_name=f"user-{n}").headers["x-trimtab-prompt"]
            for n in range(60)
        }
        assert versions == {"team@v1"}


def test_a_restart_keeps_the_evidence(project_folder: Path):
    released_and_tried(project_folder, share=0.3, model="other")
    file = project_folder / ".trimtab/canaries/0.json"
    with stage(project_folder, "production") as on:
        play(on, Behaviour(text=GOOD))
        on.provider.play("fault:other", Behaviour(text=GOOD))
        for number in range(200):
            assert on.ask(prompt={"id": "team"}, user_name=f"user-{number}").status == 200
    (kept,) = msgspec.json.decode(file.read_bytes(), type=dict[str, Evidence]).values()
    test = kept.rates["format"]
    assert test.candidate_count + test.open_candidate > 0
    assert "user-1" not in file.read_text()
    with stage(project_folder, "production"):
        pass
    (again,) = msgspec.json.decode(file.read_bytes(), type=dict[str, Evidence]).values()
    assert again == kept


def test_a_pause_that_cannot_be_written_outlasts_a_new_project_file(project_folder: Path):
    released_and_tried(project_folder, share=0.3, model="other")
    lock = project_folder / "releases/.production.lock"
    lock.unlink()
    lock.mkdir()
    with stage(project_folder, "production") as on:
        play(on, Behaviour(text=GOOD))
        on.provider.play("fault:other", Behaviour(text="no JSON"))
        for number in range(400):
            assert on.ask(prompt={"id": "team"}, user_name=f"user-{number}").status == 200
        on.gateway.wait_for_log("the pause holds only until prompts or releases change")
        file = project_folder / "trimtab.toml"
        file.write_text(f"{file.read_text()}\n[alerts]\n")
        on.gateway.wait_for_log("project reloaded")
        versions = {
            on.ask(prompt={"id": "team"}, user_name=f"user-{n}").headers["x-trimtab-prompt"]
            for n in range(60)
        }
        assert versions == {"team@v1"}


def shadow_events(on: Stage) -> list[Event]:
    query = EventQuery(since_ns=0, until_ns=1 << 62, where={"prompt_arm": "shadow"}, limit=1_000)
    return list(on.gateway.reader().event_page(query).events)


def shadowed(folder: Path, *, most_usd: float) -> None:
    write_prompt(folder, PROMPT.replace("%s", "main", 1).replace("%s", " is it"), "team")
    library = load_library(folder)
    prompt = library.prompts["team"]
    model = "one:fault:main"
    promote(library, "production", prompt, model=model, author=ADA, force=True)
    write_prompt(folder, PROMPT.replace("%s", "other", 1).replace("%s", " knows"), "team")
    library = load_library(folder)
    try_out(
        library,
        "production",
        library.prompts["team"],
        model="one:fault:other",
        author=ADA,
        trying=Trying(1.0, shadow=True, most_usd=most_usd),
    )


def test_a_shadow_is_called_beside_and_shown_to_nobody(project_folder: Path):
    shadowed(project_folder, most_usd=10.0)
    with stage(project_folder, "production") as on:
        play(on, Behaviour(text=GOOD))
        on.provider.play("fault:other", Behaviour(text="no JSON"), Behaviour(status=500))
        wait_until(lambda: on.ask(prompt={"id": "team"}).status == 200 and shadow_events(on))
        for _ in range(5):
            reply = on.ask(prompt={"id": "team"})
            assert reply.headers["x-trimtab-prompt"] == "team@v1"
            assert reply.json["choices"][0]["message"]["content"] == GOOD

        def told() -> list[Event]:
            on.ask(prompt={"id": "team"})
            found = shadow_events(on)
            return found if {event.outcome for event in found} == {"ok", "error"} else []

        events = wait_until(told)
        assert {event.user for event in events} == {""}, "on nobody's account"
        assert {event.prompt_version for event in events} == {"v2"}
        assert {event.model for event in events} == {"fault:other"}


def test_shadows_end_at_their_cost_cap(project_folder: Path):
    shadowed(project_folder, most_usd=0.2)
    with stage(project_folder, "production") as on:
        play(on, Behaviour(text=GOOD, tokens=4))
        on.provider.play("fault:other", Behaviour(text=GOOD, tokens=4_000))
        wait_until(lambda: on.ask(prompt={"id": "team"}).status == 200 and shadow_events(on))
        for number in range(40):
            reply = on.ask(prompt={"id": "team"}, user_name=f"user-{number}")
            assert reply.status == 200

        def all_recorded() -> bool:
            called = sum(call.model == "fault:other" for call in on.provider.calls)
            return 0 < called == len(shadow_events(on))

        wait_until(all_recorded)
        spent = sum(event.cost_nanousd for event in shadow_events(on))
        assert 0 < spent <= 200_000_000
        count = len(shadow_events(on))
        assert count < 40
    with stage(project_folder, "production") as on:
        for _ in range(10):
            assert on.ask(prompt={"id": "team"}).status == 200
        total = sum(event.cost_nanousd for event in shadow_events(on))
        assert total <= 200_000_000, "nor after a restart"
