"""`feedback.toml`: which metrics feedback may be given on. The file is optional."""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from trimtab.config.reader import TableReader
from trimtab.types.feedback import THUMBS

__all__ = ["FEEDBACK_FILE", "FeedbackRules", "Metric", "Tokens", "read_feedback"]

FEEDBACK_FILE: Final = "feedback.toml"

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_Bound = Annotated[float, Meta(ge=-1_000_000_000, le=1_000_000_000)]


class Metric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[metrics.NAME]`: something that can be said of an inference.

    Attributes:
        type: true or false, or a number.
        low, high: of a number, both included; it must have both.
        direction: "up" if true, or more, is better; else "down".
        level: what it is about; nothing but single inferences yet.
    """

    type: Literal["boolean", "number"] = "boolean"
    low: _Bound | None = None
    high: _Bound | None = None
    direction: Literal["up", "down"] = "up"
    level: Literal["inference"] = "inference"


class Tokens(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[tokens]`: each inference has a token in its headers, with which a browser gives feedback.

    Attributes:
        days: how long a token is good, from the start of its inference.
    """

    days: Annotated[int, Meta(ge=1, le=90)] = 7


class _FeedbackTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    metrics: dict[str, Metric] = {}
    tokens: Tokens | None = None


class FeedbackRules(msgspec.Struct, frozen=True, kw_only=True):
    """What is declared.

    Attributes:
        metrics: by name. `thumbs` is there whether it is declared or not.
        tokens: None where none are given.
    """

    metrics: Mapping[str, Metric] = msgspec.field(default_factory=lambda: {THUMBS: Metric()})
    tokens: Tokens | None = None


def read_feedback(raw: Mapping[str, object], reader: TableReader) -> FeedbackRules:
    """The rules in a parsed file; what is wrong is reported to the reader."""
    table = reader.read(_FeedbackTable, raw)
    assert table is not None, "the file as a whole has no required key"
    for name, metric in table.metrics.items():
        _check(name, metric, reader)
    return FeedbackRules(metrics={THUMBS: Metric(), **table.metrics}, tokens=table.tokens)


def _check(name: str, metric: Metric, reader: TableReader) -> None:
    path = ("metrics", name)
    if not _NAME.fullmatch(name):
        remedy = "Use small letters, digits and _, a letter first, at most 40"
        reader.report(path, f"{name[:60]!r} is no name of a metric", remedy)
    low, high = metric.low, metric.high
    if metric.type == "boolean":
        for key in ("low", "high"):
            if getattr(metric, key) is not None:
                reader.report((*path, key), f"a boolean has no {key}", 'Add type = "number"')
    elif low is None or high is None:
        reader.report(path, "a number needs both low and high", "Add what is missing, as low = 1")
    elif low >= high:
        reader.report((*path, "low"), f"low {low:g} is not below high {high:g}", "Correct one")
