"""What must hold between the tables about money, beyond the shape of each."""

from collections.abc import Collection
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from trimtab.config.money import Budget, Limit
from trimtab.config.reader import TableReader
from trimtab.config.schema import ProjectTable

__all__ = ["check_money"]


def check_money(tables: ProjectTable, reader: TableReader) -> None:
    """Report to `reader` every rule about money that `tables` break."""
    _check_time_zone(tables.spend.time_zone, reader)
    for name, user_class in tables.classes.items():
        if not (user_class.users or user_class.teams or user_class.keys):
            remedy = 'Add users = ["some-*"], teams or keys'
            reader.report(("classes", name), "nobody belongs to this class", remedy)
    for name, budget in tables.budgets.items():
        _check_budget(name, budget, classes=tables.classes, reader=reader)
    for name, limit in tables.limits.items():
        _check_limit(name, limit, classes=tables.classes, reader=reader)


def _check_time_zone(time_zone: str, reader: TableReader) -> None:
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        path = ("spend", "time_zone")
        remedy = 'Write a name of the tz database, as in "Europe/Berlin" or "UTC"'
        reader.report(path, f"no time zone {time_zone!r}", remedy)


def _check_budget(
    name: str, budget: Budget, *, classes: Collection[str], reader: TableReader
) -> None:
    path = ("budgets", name)
    _check_amounts(path, budget, reader=reader)
    if budget.limit_usd is None and not (budget.class_limits_usd or budget.name_limits_usd):
        reader.report(path, "this budget has no amount", "Add limit_usd")
    if budget.class_limits_usd and budget.per != "user":
        problem = "class_limits_usd is only for budgets per user"
        reader.report((*path, "class_limits_usd"), problem, 'Remove it, or set per = "user"')
    if budget.name_limits_usd and budget.per == "total":
        problem = "the total has no names"
        reader.report((*path, "name_limits_usd"), problem, "Use limit_usd")
    _check_classes((*path, "class_limits_usd"), budget.class_limits_usd, classes, reader=reader)


def _check_amounts(path: tuple[str, ...], budget: Budget, *, reader: TableReader) -> None:
    amounts: dict[tuple[str, ...], Decimal] = {}
    if budget.limit_usd is not None:
        amounts[*path, "limit_usd"] = budget.limit_usd
    for key in ("class_limits_usd", "name_limits_usd"):
        table: dict[str, Decimal] = getattr(budget, key)
        amounts |= {(*path, key, name): amount for name, amount in table.items()}
    for where, amount in amounts.items():
        if not amount.is_finite() or amount < 0:
            reader.report(where, f"{amount} is no amount of dollars", "Write 0 or more, as in 2.50")


def _check_limit(name: str, limit: Limit, *, classes: Collection[str], reader: TableReader) -> None:
    path = ("limits", name)
    amounts = (limit.requests_per_minute, limit.tokens_per_minute, limit.concurrent)
    if all(amount is None for amount in amounts):
        remedy = "Add requests_per_minute, tokens_per_minute or concurrent"
        reader.report(path, "this limit limits nothing", remedy)
    _check_classes((*path, "classes"), limit.classes, classes, reader=reader)


def _check_classes(
    path: tuple[str, ...], named: Collection[str], known: Collection[str], *, reader: TableReader
) -> None:
    for name in named:
        if name not in known:
            remedy = f"Declare [classes.{name}]"
            reader.report(path, f"no class of users {name!r}", remedy)
