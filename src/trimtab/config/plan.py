"""`plan.toml`: what a team expected its product to cost, by date and class of users.

Estimates are added and never changed: each holds from its date until the next one of any class.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from trimtab.config.load import parse_toml
from trimtab.config.locate import locate_keys
from trimtab.config.reader import TableReader
from trimtab.config.schema import Project
from trimtab.errors import ConfigError, UsageError

__all__ = [
    "EVERYONE",
    "NO_CLASS",
    "PLAN_FILE",
    "Estimate",
    "Plan",
    "PlanPrice",
    "add_estimate",
    "load_plan",
]

PLAN_FILE: Final = "plan.toml"
EVERYONE: Final = "everyone"
"""The name under which an estimate is about all users, whichever class they are of."""
NO_CLASS: Final = "others"
"""The name under which it is about the users of no class."""

_DAYS_OF_GROWTH: Final = 30
_HEAD: Final = """\
# What this product was expected to cost. `trimtab spend plan` adds to it and never changes it;
# `trimtab spend explain` tells why the bill is another one. Keep it in version control.
"""


class PlanPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the model cost when the estimate was made, in USD per million tokens.

    Attributes:
        version: the price book that told it.
    """

    input_usd_per_mtok: Decimal
    cache_read_usd_per_mtok: Decimal
    cache_write_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    version: str = ""


class Estimate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[plan.DATE.CLASS]`: one class of users from a date on.

    Attributes:
        users: how many use the product on a day.
        users_growth: growth of `users` in 30 days, as a share of the first: 0.1 adds a tenth of
            them every 30 days.
        requests_per_user_per_day: inferences, without those that users ask for again.
        turns_per_session: inferences in a session; None where nobody thought of it.
        input_tokens: of a request, cached ones included.
        output_tokens: of an answer.
        cached_share: share of the input that the provider's prompt cache serves.
        model: alias or route.
        price: None means that of the price book on the date.
    """

    users: Annotated[int, Meta(ge=1, le=10_000_000_000)]
    users_growth: Annotated[float, Meta(ge=-1, le=100)] = 0.0
    requests_per_user_per_day: Annotated[float, Meta(gt=0, le=1_000_000)]
    turns_per_session: Annotated[float, Meta(ge=1, le=1_000_000)] | None = None
    input_tokens: Annotated[float, Meta(gt=0, le=100_000_000)]
    output_tokens: Annotated[float, Meta(ge=0, le=100_000_000)]
    cached_share: Annotated[float, Meta(ge=0, le=1)] = 0.0
    model: str
    price: PlanPrice | None = None

    def users_on(self, days: int) -> Fraction:
        """Users on a day, so many days after the first."""
        grown = 1 + Fraction(str(self.users_growth)) * days / _DAYS_OF_GROWTH
        return max(self.users * grown, Fraction(0))


class _PlanTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    plan: dict[str, dict[str, Estimate]] = {}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All estimates.

    Attributes:
        file: where they are, or would be.
        estimates: by the day from which they hold, the oldest first, and by class of users as
            the ledger has it; `EVERYONE` for all of them, "" for those of no class.
    """

    file: Path
    estimates: dict[date, dict[str, Estimate]]

    def on(self, day: date) -> tuple[date, dict[str, Estimate]] | None:
        """The estimates that hold on a day, and since when; None before the first."""
        since = max((first for first in self.estimates if first <= day), default=None)
        return None if since is None else (since, self.estimates[since])


def load_plan(project: Project) -> Plan:
    """The plan beside the project's `trimtab.toml`; without estimates if there is no file.

    Raises:
        ConfigError: the file is wrong. It carries every finding, each with its line.
    """
    file = project.folder / PLAN_FILE
    content = file.read_bytes() if file.is_file() else b""
    return _read(file, content, project)


def add_estimate(project: Project, since: date, user_class: str, *, estimate: Estimate) -> Plan:
    """Add an estimate to the file; returns the plan that it then has.

    Args:
        project: whose plan.
        since: the day from which it holds.
        user_class: of the project, `EVERYONE` or `NO_CLASS`.
        estimate: what is expected.

    Raises:
        UsageError: there is one of this date and class, which stays as it is.
        ConfigError: the file is wrong, or would be.
    """
    plan = load_plan(project)
    stored = "" if user_class == NO_CLASS else user_class
    if stored in plan.estimates.get(since, {}):
        raise UsageError(
            f"{plan.file} has an estimate for {user_class} from {since} on, and estimates are not "
            "overwritten. Add one from another day (--from), or correct the file by hand."
        )
    text = plan.file.read_text(encoding="utf-8") if plan.file.is_file() else _HEAD
    text = text.rstrip("\n") + "\n\n" + "\n".join(_lines(since, user_class, estimate)) + "\n"
    new = _read(plan.file, text.encode(), project)
    aside = plan.file.with_name(f".{PLAN_FILE}.new")
    aside.write_text(text, encoding="utf-8")
    os.replace(aside, plan.file)  # noqa: PTH105 - in one step: nobody reads half of it
    return new


def _read(file: Path, content: bytes, project: Project) -> Plan:
    text, raw = parse_toml(file, content)
    reader = TableReader(file, locate_keys(text))
    table = reader.read(_PlanTable, raw)
    assert table is not None, "the file as a whole has no required key"
    estimates: dict[date, dict[str, Estimate]] = {}
    for name, classes in table.plan.items():
        path = ("plan", name)
        since = _day(name)
        if since is None:
            reader.report(path, f"{name} is no day", "Write it as in [plan.2026-10-01.everyone]")
            continue
        _check(classes, path, project=project, reader=reader)
        estimates[since] = {"" if key == NO_CLASS else key: classes[key] for key in classes}
    if reader.findings:
        raise ConfigError(reader.findings)
    return Plan(file=file, estimates=dict(sorted(estimates.items())))


def _check(
    classes: Mapping[str, Estimate], path: tuple[str, str], *, project: Project, reader: TableReader
) -> None:
    known = (EVERYONE, NO_CLASS, *project.classes)
    if EVERYONE in classes and len(classes) > 1:
        problem = f"an estimate for {EVERYONE} stands beside some for single classes"
        reader.report((*path, EVERYONE), problem, f"Call it {NO_CLASS}, or give it another date")
    for name, estimate in classes.items():
        if name not in known:
            problem = f"the project has no class {name!r}"
            reader.report((*path, name), problem, f"Use one of {', '.join(known)}")
        if name in {EVERYONE, NO_CLASS} and name in project.classes:
            problem = f"{name} is a class of the project as well, so this may mean either"
            reader.report((*path, name), problem, f"Give the class {name} another name")
        if estimate.model not in project.targets:
            problem = f"the project has no model or route {estimate.model!r}"
            models = ", ".join(project.targets) or "none"
            reader.report((*path, name, "model"), problem, f"Declared are: {models}")


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None


def _lines(since: date, user_class: str, estimate: Estimate) -> Iterator[str]:
    table = f"plan.{since}.{_key(user_class)}"
    yield f"[{table}]"
    for name in Estimate.__struct_fields__:
        value = getattr(estimate, name)
        if isinstance(value, str):
            yield f"{name} = {_text(value)}"
        elif isinstance(value, int | float) and (value or name == "output_tokens"):
            yield f"{name} = {int(value) if value == int(value) else value}"
    price = estimate.price
    if price is not None:
        yield ""
        yield f"[{table}.price]"
        for name in PlanPrice.__struct_fields__:
            value = getattr(price, name)
            yield f"{name} = {_text(value) if isinstance(value, str) else format(value, 'f')}"


def _key(name: str) -> str:
    bare = name.replace("-", "").replace("_", "")
    return name if bare.isascii() and bare.isalnum() else _text(name)


def _text(value: str) -> str:
    """A TOML string; what JSON escapes, TOML reads."""
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
