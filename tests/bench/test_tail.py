"""The bench of the tail: its draws, its percentiles, and that its callers see what is wrong."""

import asyncio
from math import inf
from pathlib import Path
from random import Random
from statistics import median
from xml.etree import ElementTree as ET

import pytest
from bench.tail_arms import ARMS, TTFT_S
from bench.tail_figure import Line, draw
from bench.tail_ideal import ideal_s
from bench.tail_load import Load, Order, Seen
from bench.tail_model import MODELS, SCALE, TOKENS, draw_s, exceeds, script
from bench.tail_stats import failures_at_most, quantile

from trimtab.config.load import load_project
from trimtab.testing import Behaviour, FaultProvider

NUMBERS = range(20_000)


def test_a_draw_depends_on_seed_model_and_number_only():
    drawn = {(m, k): draw_s(3, m, k) for m in MODELS for k in range(50)}
    again = {(m, k): draw_s(3, m, k) for k in reversed(range(50)) for m in reversed(MODELS)}
    assert drawn == again
    assert len(set(drawn.values()) - {inf}) > 140
    assert draw_s(4, MODELS[0], 7) != drawn[MODELS[0], 7]


def test_draws_have_the_shape_that_is_told():
    drawn = [draw_s(1, MODELS[0], number) for number in NUMBERS]
    assert median(drawn) == pytest.approx(0.5, rel=0.03)
    assert sum(seconds == inf for seconds in drawn) == pytest.approx(40, abs=20)
    assert sum(8 <= seconds <= 15 for seconds in drawn) == pytest.approx(400, abs=60)
    late = sum(seconds > TTFT_S for seconds in drawn) / len(drawn)
    assert late == pytest.approx(exceeds(TTFT_S), abs=0.004)


def test_the_provider_does_what_was_drawn():
    behaviours = script(1, 20).models[MODELS[1]]
    for number, behaviour in enumerate(behaviours):
        seconds = draw_s(1, MODELS[1], number)
        assert behaviour.first_token_after_s == (0 if seconds == inf else seconds / SCALE)


def test_an_interval_holds_the_true_percentile_nineteen_times_of_twenty():
    random = Random(1)
    held = 0
    for _ in range(200):
        found = quantile(sorted(random.random() for _ in range(2_000)), 0.99)
        held += found.low <= 0.99 <= (found.high or 1.0)
    assert held >= 184


def test_a_sample_that_is_too_small_bounds_nothing():
    assert quantile(list(range(1_000)), 0.999).high is None
    assert quantile(list(range(20_000)), 0.999).high is not None
    assert failures_at_most(0, 3_000) == pytest.approx(0.001, rel=0.01)


def test_on_paper_a_hedge_is_earlier_than_a_deadline():
    by_policy = {arm.policy: ideal_s(arm) for arm in ARMS}
    ladder, hedged = by_policy["ladder"], by_policy["hedged"]
    assert by_policy["none"] is None
    assert ladder is not None
    assert hedged is not None
    assert quantile(hedged, 0.999).value < quantile(ladder, 0.999).value - 0.5


def test_the_projects_are_right(tmp_path: Path):
    for arm in ARMS:
        if arm.contender is not None:
            text = arm.contender.files["trimtab.toml"].replace("$provider", "1")
            (tmp_path / "trimtab.toml").write_text(text)
            assert load_project(tmp_path / "trimtab.toml").routes["chat"].model == "primary"


def test_the_figure_is_well_formed():
    lines = [Line(arm.title, [0.6 + k / 100 for k in range(2_000)]) for arm in ARMS]
    assert len(ET.fromstring(draw(lines, 4.2)).findall(".//{*}polyline")) == len(ARMS)


def ask(*behaviours: Behaviour) -> Seen:
    async def run() -> Seen:
        async with FaultProvider(behaviours) as provider:
            order = Order(
                port=provider.port,
                headers=(),
                model="primary",
                warm=0,
                seed="1",
                calls=len(behaviours),
                per_s=200,
                patience_s=0.5,
            )
            return await Load(order).run()

    return asyncio.run(run())


def test_callers_see_what_is_wrong():
    good = Behaviour(tokens=TOKENS, first_token_after_s=0.1, token_every_s=0.002)
    told = ask(
        good,
        Behaviour(tokens=TOKENS, headers_after_s=10),
        Behaviour(tokens=TOKENS, stall_after_tokens=3, stall_s=10),
        Behaviour(tokens=TOKENS, omit_done=True),
        Behaviour(tokens=TOKENS - 1),
        Behaviour(status=503),
        Behaviour(cut="reset"),
        Behaviour(tokens=TOKENS, segment_bytes=3),
    ).calls
    assert sorted(one.problem for one in told) == sorted(
        [
            "",
            "",
            "no whole answer in time",
            "no whole answer in time",
            "no terminator",
            "another text",
            "status 503 ",
            "connection closed",
        ]
    )
    slow = max(told, key=lambda one: one.first_s or 0)
    assert slow.first_s is not None
    assert 0.1 <= slow.first_s < slow.total_s
