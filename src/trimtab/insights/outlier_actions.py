"""What the policy of a project does about those who stand out. Pure: others carry it out."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from trimtab.config.money import Outliers
from trimtab.insights.outliers import Flagged, OutlierReport
from trimtab.types.alerts import Alert
from trimtab.types.clock import NS_PER_S
from trimtab.types.money import format_usd
from trimtab.types.sanctions import Sanction

__all__ = ["outlier_alerts", "sanctions"]

_SHOWN_CHARACTERS: Final = 80
_HOUR_NS: Final = 3_600 * NS_PER_S
_LOOKS: Final = 2  # one look may be late, or fail, without a gap


def sanctions(report: OutlierReport, policy: Outliers, *, now_ns: int) -> list[Sanction]:
    """What is to be done from now on; whoever is no longer in it is free."""
    until_ns = now_ns + _LOOKS * policy.every_s * NS_PER_S
    return [
        Sanction(
            per=flagged.per,
            subject=flagged.name,
            action=action,
            reason=flagged.text,
            until_ns=until_ns,
        )
        for flagged in report.flagged
        for action in dict.fromkeys(policy.actions)
        if action != "alert"
    ]


def outlier_alerts(
    report: OutlierReport,
    policy: Outliers,
    *,
    now_ns: int,
    time_zone: str,
    key_names: Mapping[str, str] = {},
) -> list[Alert]:
    """One alert for each user or key and day.

    Args:
        report: who stands out.
        policy: of the project.
        now_ns: UTC nanoseconds.
        time_zone: whose day it is.
        key_names: what people call keys, by id.
    """
    if "alert" not in policy.actions:
        return []
    day = datetime.fromtimestamp(now_ns // NS_PER_S, ZoneInfo(time_zone)).date().isoformat()
    window_h = (report.until_ns - report.since_ns) // _HOUR_NS
    found: list[Alert] = []
    for flagged in report.flagged:
        name = _plain(flagged.name)
        called = _plain(key_names.get(flagged.name, name)) if flagged.per == "key" else name
        message, facts = _told(flagged, window_h)
        alert = Alert(
            kind="outlier",
            key=f"outlier/{flagged.per}/{name}/{day}",
            at_ns=now_ns,
            message=f"{flagged.per.capitalize()} '{called}' spent {message}.",
            facts={flagged.per: name, **facts},
        )
        found.append(alert)
    return found


def _told(flagged: Flagged, window_h: int) -> tuple[str, dict[str, int | float]]:
    """All reasons in words, and the figures in them."""
    parts: list[str] = []
    facts: dict[str, int | float] = {}
    for reason in flagged.reasons:
        span_h = 24 if reason.rule == "past" else window_h
        spent = format_usd(reason.amount_nanousd)
        parts.append(f"{spent} in the last {span_h} h, {reason.text}")
        facts |= {
            f"{reason.rule}_nanousd": reason.amount_nanousd,
            f"{reason.rule}_usual_nanousd": reason.usual_nanousd,
            f"{reason.rule}_times": round(reason.times, 1),
        }
    return "; and ".join(parts), facts


def _plain(name: str) -> str:
    """A name from outside in one short line; two different ones stay different."""
    if name.isprintable() and len(name) <= _SHOWN_CHARACTERS:
        return name
    shown = "".join(letter if letter.isprintable() else "?" for letter in name)
    return (
        f"{shown[:_SHOWN_CHARACTERS]}... ({sha256(name.encode(errors='replace')).hexdigest()[:8]})"
    )
