"""Bounds beside the counts of a real tokenizer: that of the local model."""

import asyncio
import base64
import json
import random
import urllib.request
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.providers.local.engine import LocalEngine
from trimtab.spend.bounds import Bounds, RequestSize, size_of

_random = random.Random(5)
TEXTS = {
    "english": "The quick brown fox jumps over the lazy dog. ",
    "german": "Die Gebührenordnung für Rechtsanwälte gilt überall. ",
    "russian": "Быстрая лиса перепрыгивает через ленивую собаку. ",
    "greek": "η γρήγορη αλεπού πηδά πάνω από τον τεμπέλη σκύλο. ",
    "chinese": "敏捷的棕色狐狸跳过了懒狗。",
    "hindi": "तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है। ",
    "thai": "สุนัขจิ้งจอกสีน้ำตาลกระโดดข้ามสุนัขขี้เกียจ",
    "emoji": "🦊🐶🏃💨🌲",
    "code": "for (int i=0;i<n;++i){a[i]=b[i]*c[i];} ",
    "digits": "3141592653589793 ",
    "symbols": "§$%&/()=?{[]}~#|<>^ ",
    "capitals": "WARNING: DO NOT TOUCH THE QXZJ VALVE. ",
    "base64": base64.b64encode(_random.randbytes(60)).decode(),
    "one letter": "x ",
    "lines": "\n\n\t\n",
}


def body_of(text: str) -> bytes:
    return json.dumps(
        {"model": "m", "messages": [{"role": "user", "content": text}]}, ensure_ascii=False
    ).encode()


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    """How many tokens each text is, in a prompt of the local model."""

    async def count() -> dict[str, int]:
        engine = LocalEngine(context_tokens=4_096)
        base_url = await engine.start()
        try:
            return {
                name: await asyncio.to_thread(_prompt_tokens, base_url, text * 10)
                for name, text in TEXTS.items()
            }
        finally:
            await engine.stop()

    return asyncio.run(count())


def _prompt_tokens(base_url: str, text: str) -> int:
    """The text in tokens, and the template of a chat around it."""

    def post(path: str, **fields: Any) -> Any:
        url = base_url.removesuffix("/v1") + path
        request = urllib.request.Request(url, json.dumps(fields).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    messages = [{"role": "user", "content": text}]
    prompt = post("/apply-template", messages=messages)["prompt"]
    return len(post("/tokenize", content=prompt, parse_special=True)["tokens"])


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_of_any_kind_is_within_the_bound(counts: dict[str, int], name: str):
    bound = Bounds().input_tokens(size_of(body_of(TEXTS[name] * 10)))
    assert counts[name] <= bound


def test_the_bound_of_prose_is_not_a_token_a_byte(counts: dict[str, int]):
    body = body_of(TEXTS["english"] * 10)
    assert counts["english"] < Bounds().input_tokens(size_of(body)) < 0.75 * len(body)


def test_what_comes_after_much_prose_is_within_the_bound_too(counts: dict[str, int]):
    bounds = Bounds()
    for _ in range(100):
        bounds.learn_input(size_of(body_of(TEXTS["english"] * 10)), counts["english"])
    for name, text in TEXTS.items():
        assert counts[name] <= bounds.input_tokens(size_of(body_of(text * 10)))


@given(text=st.text(max_size=300))
def test_units_are_between_half_the_bytes_and_all(text: str):
    data = text.encode()
    assert len(data) / 2 <= size_of(data).units <= len(data)


def test_an_image_in_the_request_counts_as_an_image_and_not_as_text():
    def body(url: str) -> bytes:
        part = {"type": "image_url", "image_url": {"url": url}}
        return json.dumps({"messages": [{"role": "user", "content": [part]}]}).encode()

    data = base64.b64encode(_random.randbytes(1_000_000)).decode()
    inline = Bounds().input_tokens(size_of(body(f"data:image/png;base64,{data}")))
    linked = Bounds().input_tokens(size_of(body("https://example.org/cat.png")))
    assert 2_000 <= linked < 5_000
    assert 2_000 <= inline < 5_000
    bounds = Bounds()
    bounds.learn_input(size_of(body("https://example.org/cat.png")), 1_100)
    assert bounds.input_tokens(size_of(BODY)) == Bounds().input_tokens(size_of(BODY)), (
        "of text it tells nothing"
    )
    # In the words of a user it is text.
    words = json.dumps({"messages": [{"content": f'"url": "data:image/png;base64,{data}"'}]})
    assert Bounds().input_tokens(size_of(words.encode())) > 700_000


BODY = body_of("x" * 2_000)
UNITS = size_of(BODY).units


def bound(bounds: Bounds) -> float:
    return (bounds.input_tokens(size_of(BODY)) - 32) / UNITS


def test_a_bound_rises_at_once_and_falls_after_many():
    bounds = Bounds()
    assert bound(bounds) == 1.0
    bounds.learn_input(size_of(BODY), 32 + UNITS // 2)
    assert bound(bounds) == 1.0
    bounds.learn_input(size_of(BODY), 32 + 2 * UNITS)
    assert bound(bounds) == pytest.approx(2.5, abs=0.01), "with a margin"
    for _ in range(18):
        bounds.learn_input(size_of(BODY), 32 + UNITS)
    assert bound(bounds) == pytest.approx(2.5, abs=0.01)
    for _ in range(20):  # the second half, in which the old one still counts
        assert bound(bounds) == pytest.approx(2.5, abs=0.01)
        bounds.learn_input(size_of(BODY), 32 + UNITS)
    for _ in range(21):
        bounds.learn_input(size_of(BODY), 32 + UNITS)
    assert bound(bounds) == pytest.approx(1.25, abs=0.01)
    for _ in range(100):
        bounds.learn_input(size_of(BODY), 0)
    assert bound(bounds) == 1.0, "never below where it began"


def test_output_that_was_seen_before_anything_is_known():
    bounds = Bounds()
    assert bounds.shown_tokens(10, 20) == 10
    assert bounds.shown_tokens(10, 300) == 100
    assert bounds.frames_within(500) == 1
    assert bounds.least_tokens(100, 240) == 30
    assert bounds.least_tokens(10, 240) == 10


def test_what_came_at_a_time_is_held_in_reserve_twice_and_slowly_forgotten():
    bounds = Bounds()
    assert bounds.reserve == 64, "before anything is known"
    for _ in range(100):
        bounds.learn_burst(1)
    assert bounds.reserve == 16
    bounds.learn_burst(50)
    assert bounds.reserve == 100
    for _ in range(64):
        bounds.learn_burst(1)
    assert 30 < bounds.reserve < 40
    for _ in range(200):
        bounds.learn_burst(1)
    assert bounds.reserve == 16
    learn(bounds, 30, frames=10, content=120)
    bounds.learn_burst(50)
    assert bounds.reserve == 330, "where a frame carries three tokens, and a margin"


def learn(bounds: Bounds, tokens: int, *, frames: int, content: int, reasoning: int = 0) -> None:
    bounds.learn_shown(tokens, reasoning=reasoning, frames=frames, content_bytes=content)


def test_how_many_tokens_a_frame_carries_is_learnt():
    bounds = Bounds()
    learn(bounds, 30, frames=10, content=120)
    assert bounds.shown_tokens(100, 10_000) == 331, "three, and a margin"
    assert bounds.shown_tokens(100, 200) == 200, "never more than a token a byte"
    assert bounds.frames_within(33) == 10
    assert bounds.frames_within(1) == 1
    assert bounds.least_tokens(100, 10) == 100, "no token is in two frames"
    learn(bounds, 5, frames=10, content=20)
    assert bounds.shown_tokens(100, 10_000) == 331
    assert bounds.least_tokens(100, 80) == 10, "here one was"
    learn(bounds, 50, frames=10, content=200)
    assert bounds.least_tokens(100, 80) == 10, "and may be again"


def test_what_is_hidden_is_learnt_or_declared():
    assert Bounds().hides, "until a first stream has shown otherwise"
    open_ = Bounds()
    learn(open_, 10, frames=10, content=40)
    assert not open_.hides
    learn(open_, 100, frames=10, content=40, reasoning=90)
    assert open_.hides
    assert open_.shown_tokens(10, 30) == 12, "of hidden ones nothing is learnt of frames"
    learn(open_, 10, frames=10, content=40)
    assert open_.hides, "what was hidden once may be hidden again"
    unsaid = Bounds()
    learn(unsaid, 500, frames=10, content=40)
    assert unsaid.hides, "more tokens than bytes: not all was shown"
    declared = Bounds(hides=False)
    learn(declared, 500, frames=10, content=40, reasoning=400)
    assert not declared.hides
    silent = Bounds(hides=True)
    learn(silent, 10, frames=10, content=40)
    assert silent.hides
    empty = Bounds()
    learn(empty, 0, frames=0, content=0)
    assert empty.frames_within(9) == 1


class Told:
    """The bound of a model's input as one would write it down, each report looked at in full."""

    def __init__(self) -> None:
        self.ratio = 1.0
        self.before, self.now, self.count = 0.0, 0.0, 0

    def learn(self, size: RequestSize, tokens: int) -> None:
        self.now = max(self.now, max(0, tokens - size.beside) / size.units)
        self.count += 1
        wanted = max(1.25 * max(self.before, self.now), 1.0)
        if self.count < 20 and self.before == 0:
            wanted = max(self.ratio, wanted)
        elif self.count >= 20:
            self.before, self.now, self.count = self.now, 0.0, 0
        self.ratio = wanted


@given(st.lists(st.sampled_from((0, 30, 90, 132, 232, 532, 1_032)), max_size=90))
def test_reports_that_change_nothing_are_passed_over_and_no_other(reports: list[int]):
    size, bounds, told = RequestSize(100, 32), Bounds(), Told()
    for tokens in reports:
        bounds.learn_input(size, tokens)
        told.learn(size, tokens)
        assert bounds.input_tokens(size) == int(100 * told.ratio) + 32
