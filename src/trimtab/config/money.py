"""The tables of `trimtab.toml` about money: classes of users, budgets, limits, outliers."""

import math
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from trimtab.errors import MalformedRequest
from trimtab.types.identity import Caller

__all__ = [
    "Budget",
    "Limit",
    "OutlierAction",
    "Outliers",
    "Over",
    "Per",
    "Spend",
    "UserClass",
    "WindowLength",
    "class_of",
    "with_class",
]

Per = Literal["user", "key", "team", "model", "route", "total"]
WindowLength = Literal["hour", "day", "week", "month"]
Over = Literal["refuse", "warn", "downgrade"]
OutlierAction = Literal["alert", "throttle", "downgrade"]
_Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]


class Spend(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all money has in common.

    Attributes:
        time_zone: where days, weeks and months begin, as in `Europe/Berlin`.
    """

    time_zone: str = "UTC"


class UserClass(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[classes.NAME]`: which callers belong to a class of users. The first that matches counts.

    Attributes:
        users: names of end users, `*` and `?` standing for any text and any character.
        teams: teams whose keys ask.
        keys: ids of keys.
    """

    users: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    def has(self, caller: Caller) -> bool:
        """Whether a caller belongs to it."""
        return (
            caller.team in self.teams
            or caller.key_id in self.keys
            or any(fnmatchcase(caller.user, pattern) for pattern in self.users)
        )


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[budgets.NAME]`: how much may be spent in a window of time, by each of those it is per.

    Attributes:
        per: each user, key, team, model or route has it to itself, or all have it together.
        window: its length.
        rolling: it ends now instead of beginning at a full hour, day, week or month.
        limit_usd: for whoever has no amount below; None for no limit.
        class_limits_usd: by class of users; for budgets per user.
        name_limits_usd: by name of the user, key, team, model or route.
        over: what happens above it: refuse, warn only, or use the cheaper model of the route.
        warn_at: shares of the limit at which a warning is given.
    """

    per: Per
    window: WindowLength
    rolling: bool = False
    limit_usd: Decimal | None = None
    class_limits_usd: dict[str, Decimal] = {}
    name_limits_usd: dict[str, Decimal] = {}
    over: Over = "refuse"
    warn_at: tuple[Annotated[float, Meta(gt=0, le=1)], ...] = (0.8,)

    def limit_nanousd(self, name: str, user_class: str) -> int | None:
        """The amount for one of those that it is per; None for no limit."""
        amount = self.name_limits_usd.get(name)
        if amount is None:
            amount = self.class_limits_usd.get(user_class, self.limit_usd)
        return None if amount is None else math.floor(amount * 1_000_000_000)


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[limits.NAME]`: how much each user or key may ask for at a time.

    Attributes:
        per: who has it to itself.
        classes: only callers of these classes; empty for all.
        requests_per_minute: inferences; None for no limit.
        tokens_per_minute: input and output together; None for no limit.
        concurrent: inferences at once; None for no limit.
    """

    per: Literal["user", "key"]
    classes: tuple[str, ...] = ()
    requests_per_minute: _Count | None = None
    tokens_per_minute: _Count | None = None
    concurrent: _Count | None = None


class Outliers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[outliers]`: what is done about users and keys that spend far more than the rest.

    Attributes:
        actions: all that is done; empty for nothing.
        per: who is looked at.
        window_h: how far back they are compared with each other, in hours.
        least_usd: nothing is done about anyone who spent less in that time.
        requests_per_minute: of each that is throttled.
        every_s: seconds from one look to the next.
    """

    actions: tuple[OutlierAction, ...] = ("alert",)
    per: tuple[Literal["user", "key"], ...] = ("user", "key")
    window_h: Annotated[int, Meta(ge=1, le=744)] = 24
    least_usd: Decimal = Decimal(1)
    requests_per_minute: _Count = 10
    every_s: Annotated[int, Meta(ge=60, le=86_400)] = 900

    @property
    def least_nanousd(self) -> int:
        """The least amount, rounded up."""
        return math.ceil(self.least_usd * 1_000_000_000)


def with_class(caller: Caller, classes: dict[str, UserClass]) -> Caller:
    """The caller with the class that the project puts it into, unless it named one itself.

    Raises:
        MalformedRequest: it named one that is not declared.
    """
    named = caller.user_class
    if not classes and not named:
        return caller
    if named and named not in classes:
        raise MalformedRequest(
            "The header x-trimtab-user-class names no class of the project. "
            f"Declare it as [classes.NAME], or send one of: {', '.join(classes) or 'none yet'}.",
            param="x-trimtab-user-class",
        )
    user_class = named or class_of(caller, classes)
    return msgspec.structs.replace(caller, user_class=user_class)


def class_of(caller: Caller, classes: dict[str, UserClass]) -> str:
    """The name of the first class that a caller belongs to, or ""."""
    for name, user_class in classes.items():
        if user_class.has(caller):
            return name
    return ""
