"""The run of `make bench-tail`: every arm with its own provider and gateway, rounds interleaved."""

import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.contenders import ROOT, Contender
from bench.load import Target
from bench.priority import put_before_others
from bench.processes import BenchError, Running, launched, prepared
from bench.tail_arms import ARMS, CALLER_LIMIT_S, Arm
from bench.tail_load import COUNTED, Order, Seen, Told
from bench.tail_model import SCALE, script
from trimtab.types.records import Intent, Settle

__all__ = ["ArmFigures", "Books", "Plan", "run_tail"]

_START_LIMIT_S = 30.0
_RETRY_S = 0.01
_SETTLE_S = 1.5  # real seconds after a load: what a gateway does then belongs to it
_PROVIDER = "$python -m trimtab.testing --port $port --script $folder/script.json"


class Plan(NamedTuple):
    """How much is asked. `per_s` is in the model world."""

    seed: int
    rounds: int
    calls: int  # of a round
    warm: int  # before them in each round, not counted
    per_s: float


class Books(NamedTuple):
    """What the ledger says of the inferences that count."""

    inferences: int
    causes: Counter[str]
    cost_nanousd: int
    served_nanousd: int

    @property
    def extra(self) -> float:
        """Attempts beyond the first, over inferences."""
        return sum(self.causes.values()) / self.inferences - 1

    @property
    def extra_cost(self) -> float:
        """What all attempts cost over what those cost that served, less one."""
        return self.cost_nanousd / self.served_nanousd - 1


class ArmFigures(NamedTuple):
    """One arm. `rounds` holds what its callers saw; CPU is seconds over seconds of load."""

    arm: Arm
    rounds: list[Seen]
    provider_cpu: list[float]
    gateway_cpu: list[float]
    books: Books | None

    @property
    def calls(self) -> list[Told]:
        """Of all rounds."""
        return [told for seen in self.rounds for told in seen.calls]


class _Stand(NamedTuple):
    """An arm, set up."""

    arm: Arm
    provider: Running
    gateway: Running | None
    target: Target
    folder: Path
    figures: ArmFigures


def run_tail(
    plan: Plan, folder: Path, *, cores: tuple[int, int], say: Callable[[str], None]
) -> list[ArmFigures]:
    """Measure every arm.

    Args:
        plan: how much.
        folder: for files; empty.
        cores: the gateway's, and that of provider and load.
        say: takes lines about the progress.
    """
    with ExitStack() as stack:
        stands = [_set_up(arm, plan, folder, stack=stack, cores=cores) for arm in ARMS]
        for number in range(plan.rounds):
            for stand in stands:
                _measure(stand, plan, number)
                say(f"round {number + 1} of {plan.rounds}: {stand.arm.title}")
    # The gateways have ended and written everything.
    return [
        stand.figures._replace(books=_books(stand.folder)) if stand.gateway else stand.figures
        for stand in stands
    ]


def _set_up(
    arm: Arm, plan: Plan, folder: Path, *, stack: ExitStack, cores: tuple[int, int]
) -> _Stand:
    gateway_core, load_core = cores
    calls = plan.rounds * (plan.warm + plan.calls)
    text = msgspec.json.encode(script(plan.seed, calls)).decode()
    fake = Contender(
        f"{arm.key}-provider", "", lambda: None, _PROVIDER, files={"script.json": text}
    )
    provider_launch = prepared(fake, folder / fake.name, provider=0)
    provider = stack.enter_context(launched(provider_launch, load_core))
    _wait_open(provider)
    figures = ArmFigures(arm, [], [], [], None)
    contender = arm.contender
    if contender is None:
        return _Stand(arm, provider, None, provider.target, folder, figures)
    place = folder / arm.key
    launch = prepared(contender, place, provider=provider.target.port)
    gateway = stack.enter_context(launched(launch, gateway_core))
    _wait_open(gateway)
    return _Stand(arm, provider, gateway, gateway.target, place, figures)


def _wait_open(running: Running) -> None:
    until_s = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < until_s:
        running.check_alive()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", running.target.port)) == 0:
                return
        time.sleep(_RETRY_S)
    raise BenchError(f"{running.name} does not listen. {running.log_tail()}")


def _measure(stand: _Stand, plan: Plan, number: int) -> None:
    gateway = stand.gateway
    provider_us = stand.provider.cpu_us()
    gateway_us = gateway.cpu_us() if gateway else 0.0
    seen = _load(stand, plan, f"{plan.seed}/{number}")
    time.sleep(_SETTLE_S)
    figures = stand.figures
    figures.rounds.append(seen)
    figures.provider_cpu.append((stand.provider.cpu_us() - provider_us) / 1e6 / seen.took_s)
    if gateway:
        gateway.check_alive()
        figures.gateway_cpu.append((gateway.cpu_us() - gateway_us) / 1e6 / seen.took_s)


def _load(stand: _Stand, plan: Plan, seed: str) -> Seen:
    order = Order(
        port=stand.target.port,
        headers=tuple(stand.target.headers),
        model=stand.arm.model,
        warm=plan.warm,
        seed=seed,
        calls=plan.calls,
        per_s=plan.per_s * SCALE,
        patience_s=CALLER_LIMIT_S / SCALE,
    )
    place = stand.provider.launch.log.parent / "seen.json"
    place.unlink(missing_ok=True)
    # It inherits the core of this process, which is that of the provider.
    with subprocess.Popen(
        [sys.executable, "-m", "bench.tail_load", str(place)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        put_before_others(process.pid)
        try:
            process.communicate(msgspec.json.encode(order))
        except BaseException:
            process.kill()
            raise
    if process.returncode or not place.exists():
        raise BenchError(f"the load generator ended with {process.returncode} and told nothing")
    return msgspec.json.decode(place.read_bytes(), type=Seen)


def _books(folder: Path) -> Books:
    """Read the ledger of an arm that has ended."""
    causes: Counter[str] = Counter()
    counted: set[str] = set()
    cost = served = 0
    with closing(sqlite3.connect(folder / ".trimtab" / "ledger.sqlite")) as db:
        rows: Sequence[tuple[str, bytes]] = db.execute(
            "SELECT kind, body FROM entries ORDER BY writer, seq"
        ).fetchall()
    for kind, body in rows:
        if kind == "intent":
            intent = msgspec.json.decode(body, type=Intent)
            if intent.caller.user == COUNTED:
                counted.add(intent.inference_id)
                causes[intent.cause] += 1
            continue
        settle = msgspec.json.decode(body, type=Settle)
        if settle.inference_id in counted:
            cost += settle.cost_nanousd
            served += settle.cost_nanousd if settle.final and settle.outcome == "ok" else 0
    return Books(len(counted), causes, cost, served)
