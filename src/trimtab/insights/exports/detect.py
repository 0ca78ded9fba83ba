"""Which format a file has, told by its shape."""

from typing import Final

from trimtab.errors import UsageError
from trimtab.insights.exports.anthropic_json import parse_anthropic_json
from trimtab.insights.exports.export import Export, Period
from trimtab.insights.exports.node import Node, parse_json
from trimtab.insights.exports.openai_csv import parse_openai_csv
from trimtab.insights.exports.openai_json import parse_openai_json
from trimtab.types.clock import NS_PER_S

__all__ = ["parse_export"]

_DAY_NS: Final = 86_400 * NS_PER_S


def parse_export(file: str, content: bytes) -> Export:
    """The export in `content`.

    Args:
        file: its name, for errors.
        content: JSON of OpenAI's or Anthropic's usage or costs, or CSV of OpenAI's dashboard.

    Raises:
        UsageError: it is none of them, or something in it is wrong, named by line or path.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{file}: line {line}: it is not UTF-8. Export it again.") from None
    if not text.strip():
        raise UsageError(f"{file}: the file is empty. Export it from the provider again.")
    export = (
        _parse_page(file, parse_json(file, text))
        if text.lstrip().startswith(("{", "["))
        else parse_openai_csv(file, text)
    )
    for period in export.periods:
        _check_period(file, period)
    return export


def _parse_page(file: str, page: Node) -> Export:
    buckets = page.field("data").items()
    if not buckets:
        page.fail("it has no buckets")
    if buckets[0].get("start_time") is not None:
        return parse_openai_json(file, page)
    if buckets[0].get("starting_at") is not None:
        return parse_anthropic_json(file, page)
    return buckets[0].fail(
        "a bucket of OpenAI's has start_time, one of Anthropic's starting_at; this has neither"
    )


def _check_period(file: str, period: Period) -> None:
    """A bucket must lie in one day, since days are compared."""
    if period.end_ns <= period.start_ns:
        raise UsageError(f"{file}: a bucket ends before it begins. Export it again.")
    if period.start_ns // _DAY_NS != (period.end_ns - 1) // _DAY_NS:
        raise UsageError(
            f"{file}: a bucket is longer than one day of UTC. Export it with buckets of a day "
            "(bucket_width=1d) or less."
        )
