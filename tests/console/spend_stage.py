"""A project with a plan, budgets and eight weeks of inferences, as the ledger keeps them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from harness import PRICE, project_text
from store.samples import intent, record, settle
from trimtab.store.chain import Record
from trimtab.types.clock import NS_PER_S, SystemClock
from trimtab.types.identity import Caller
from trimtab.types.usage import Usage

DAY_S = 86_400
DAYS = 56
USERS = 24
HEAVY = "greta"
ODD = 'x"><script>window.pwned=8</script>\u202e/../?a=b&c=%2e#' + "W" * 120
MONEY = """
[spend]
time_zone = "Europe/Berlin"
[classes.trial]
users = ["trial-*"]
[budgets.everything]
per = "total"
window = "month"
limit_usd = 4000
[budgets.people]
per = "user"
window = "day"
rolling = true
limit_usd = 2
name_limits_usd = {greta = 12}
warn_at = [0.5, 0.8]
[budgets.keys]
per = "key"
window = "week"
limit_usd = 0.08
over = "downgrade"
[budgets.models]
per = "model"
window = "week"
limit_usd = 10
over = "warn"
[budgets.teams]
per = "team"
window = "day"
limit_usd = 1
"""
PLAN = """
[plan.2026-01-01.everyone]
users = 20
requests_per_user_per_day = 1.4
turns_per_session = 2
input_tokens = 900
output_tokens = 250
model = "fast"
[plan.2026-01-01.everyone.price]
input_usd_per_mtok = 40
cache_read_usd_per_mtok = 10
cache_write_usd_per_mtok = 40
output_usd_per_mtok = 160
"""


class Call(NamedTuple):
    """One inference of the past."""

    number: int
    started_ns: int
    user: str
    session: str
    cost_nanousd: int
    model: str = "gpt-test"
    outcome: str = "ok"
    team: str = ""


def calls(now_ns: int) -> Iterator[Call]:
    """Eight weeks: most users alike, one far above the others, one with an odd name."""
    number = 0
    for ago in range(DAYS, -1, -1):
        for at in range(USERS):
            user = f"trial-{at}" if at % 6 == 5 else f"user-{at:02}"
            for turn in range(1 + (at + ago) % 2):
                started_ns = now_ns - ago * DAY_S * NS_PER_S - (at * 61 + turn * 7 + 5) * NS_PER_S
                cost = 120_000_000 + (at * 37 + ago * 13 + turn * 5) % 60 * 3_000_000
                outcome = "error" if (number + ago) % 29 == 0 else "ok"
                team = "search" if at % 3 == 0 else ""
                model = "large" if at % 4 == 0 else "gpt-test"
                yield Call(number, started_ns, user, f"{user}/{ago}", cost, model, outcome, team)
                number += 1
        for turn in range(6 if ago < 4 else 1):
            started_ns = now_ns - ago * DAY_S * NS_PER_S - (turn + 1) * 20 * NS_PER_S
            cost = 1_900_000_000 if ago < 4 else 300_000_000
            yield Call(number, started_ns, HEAVY, f"marathon {ago}", cost, "large")
            number += 1
    yield Call(number, now_ns - 40 * NS_PER_S, ODD, ODD[:60], 250_000_000)


def entries(now_ns: int) -> Iterator[Record]:
    """What the ledger knows of them, and one attempt whose end a crash hid."""
    for call in calls(now_ns):
        inference_id = f"inf_{call.number:06}"
        yield intent(
            inference_id,
            started_ns=call.started_ns,
            caller=Caller("", call.team, call.user, call.session),
            route="default",
            alias="fast",
            provider="fake",
            model=call.model,
        )
        yield settle(
            inference_id,
            ended_ns=call.started_ns + NS_PER_S,
            outcome=call.outcome,
            usage=Usage(input_tokens=1_000, cache_read_tokens=100, output_tokens=300),
            usage_source="estimated" if call.number % 40 == 0 else "reported",
            cost_nanousd=call.cost_nanousd,
        )
    yield intent(
        "inf_open",
        started_ns=now_ns - 3_600 * NS_PER_S,
        caller=Caller("", "", "user-01", ""),
        provider="fake",
        model="gpt-test",
        hold_nanousd=70_000_000,
    )


def lay_out(folder: Path, base_url: str, *, plan: str = PLAN) -> str:
    """Write plan and ledger into `folder`; the text of the project."""
    if plan:
        (folder / "plan.toml").write_text(plan)
    # In a thread of its own: beside a browser this one has an event loop that already runs.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(record, folder / ".trimtab", entries(SystemClock.wall_ns())).result()
    large = f'[models.large]\nref = "fake:large"\nprice = {PRICE}\n'
    return project_text(base_url, extra=large + MONEY)
