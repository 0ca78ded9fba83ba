"""Options of `trimtab spend plan` -> an estimate in the file."""

from collections.abc import Mapping
from datetime import date

import msgspec

from trimtab.config.plan import Estimate, add_estimate
from trimtab.errors import UsageError
from trimtab.insights.estimates import with_price
from trimtab.insights.explain import Books

__all__ = ["add"]

_FIELDS = {
    "users": "users",
    "growth": "users_growth",
    "requests": "requests_per_user_per_day",
    "turns": "turns_per_session",
    "input": "input_tokens",
    "output": "output_tokens",
    "cached": "cached_share",
    "model": "model",
}
_OPTIONAL = ("turns", "growth", "cached")


def add(
    books: Books, given: Mapping[str, object], place: tuple[str | None, str], *, today: date
) -> None:
    """Add an estimate, with the price that its model has on its first day.

    Args:
        books: of the project.
        given: values by option; None where it was not given.
        place: first day as written, and class.
        today: the first day if none is written.

    Raises:
        UsageError: an option is missing or wrong, or the estimate is there already.
        ConfigError: the file is wrong, or would be.
        UnpricedModel: nobody knows what the model costs.
    """
    missing = [f"--{name}" for name in _FIELDS if given[name] is None and name not in _OPTIONAL]
    if missing:
        raise UsageError(f"An estimate also needs {', '.join(missing)}.")
    written, user_class = place
    since = today if written is None else _day(written)
    values = {field: given[name] for name, field in _FIELDS.items() if given[name] is not None}
    try:
        estimate = msgspec.convert(values, Estimate)
    except msgspec.ValidationError as error:
        raise UsageError(f"This is no estimate: {error}.") from None
    if estimate.model not in books.project.targets:
        known = ", ".join(books.project.targets) or "none"
        raise UsageError(
            f"The project has no model or route {estimate.model!r}. Declared are: {known}."
        )
    add_estimate(books.project, since, user_class, estimate=with_price(books, estimate, since))


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise UsageError(f"{written!r} is no day. Write it as in 2026-10-01.") from None
