"""Simulated inferences of versions of prompts, day by day, in the real ledger."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from store.samples import CLOCK, DAY_NS, NOON_NS, intent, record, settle
from trimtab.store.chain import Record
from trimtab.store.protocol import Reader
from trimtab.store.sqlite import open_reader
from trimtab.types.clock import NS_PER_S
from trimtab.types.records import Arm, PromptUse
from trimtab.types.usage import Usage

__all__ = ["FIRST_NS", "Behaviour", "reader_of", "served", "use", "write"]

FIRST_NS: Final = NOON_NS - NOON_NS % DAY_NS
"""Midnight (UTC) before the first day, 2026-11-23."""


class Behaviour(NamedTuple):
    """What the inferences of a day are like.

    Attributes:
        tokens: of the median answer.
        sigma: of the logarithms of tokens and latency.
        wrong: share of answers without the form.
        failing: share of errors.
        refusing: share of answers that are refusals.
        nanousd: per token.
        spread: by how much days differ, as a standard deviation of logarithms.
    """

    tokens: float = 300.0
    sigma: float = 0.5
    wrong: float = 0.03
    failing: float = 0.02
    refusing: float = 0.01
    nanousd: float = 600.0
    spread: float = 0.03


USUAL: Final = Behaviour()


def use(version: str, name: str, arm: Arm = "released") -> PromptUse:
    return PromptUse(id=name, version=version, hash=f"hash-{version}", arm=arm)


def served(
    prompt: PromptUse,
    day: int,
    count: int,
    behaviour: Behaviour = USUAL,
    *,
    first_ns: int = FIRST_NS,
) -> Iterator[Record]:
    """So many inferences on a day, 0 for the one that begins at `first_ns`."""
    rng = Random(f"0 {prompt.hash} {prompt.arm} {day}")
    level = rng.lognormvariate(0, behaviour.spread)
    for number in range(count):
        started_ns = first_ns + day * DAY_NS + rng.randrange(86_400) * NS_PER_S
        began = intent(
            f"{prompt.id}/{prompt.hash}/{prompt.arm}/{day}/{number}",
            started_ns=started_ns,
            prompt=prompt,
        )
        yield began
        tokens = round(behaviour.tokens * level * rng.lognormvariate(0, behaviour.sigma))
        latency_us = round(1e6 * level * rng.lognormvariate(0, behaviour.sigma))
        if rng.random() < behaviour.failing:
            yield settle(
                began.inference_id, outcome="error", usage=Usage(), cost_nanousd=0, latency_us=9_000
            )
            continue
        yield settle(
            began.inference_id,
            latency_us=latency_us,
            usage=Usage(input_tokens=500, output_tokens=tokens),
            cost_nanousd=round(tokens * behaviour.nanousd),
            form="invalid" if rng.random() < behaviour.wrong else "ok",
            finish_reason="refusal" if rng.random() < behaviour.refusing else "stop",
        )


def write(folder: Path, *parts: Iterator[Record]) -> None:
    """Write traffic into a ledger."""
    record(folder, [entry for part in parts for entry in part])


def reader_of(folder: Path) -> Reader:
    """What was written."""
    return open_reader(folder, CLOCK)
