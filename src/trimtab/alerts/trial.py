"""A test alert to webhooks, at once and once. Nothing of it is kept."""

from collections.abc import Iterator

import msgspec

from trimtab.alerts.message import Message, body_of
from trimtab.alerts.post import post
from trimtab.config.alerts import Alerts, Webhook
from trimtab.errors import UsageError
from trimtab.types.alerts import Alert
from trimtab.types.clock import Clock
from trimtab.types.ids import IdSource

__all__ = ["Trial", "try_webhooks"]


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What one webhook made of a test alert.

    Attributes:
        status: HTTP status; 0 where there was no answer.
        problem: why it was not taken, or "".
        said: the first characters of the answer.
    """

    webhook: str
    ok: bool
    status: int
    problem: str
    said: str


def try_webhooks(settings: Alerts, name: str | None, clock: Clock) -> list[Trial]:
    """Send a test alert to the webhook `name`, or to all.

    Raises:
        UsageError: there is no webhook of that name, or none at all.
    """
    if not settings.webhooks:
        raise UsageError(
            "The project has no webhook. Add one to trimtab.toml:\n\n"
            '  [alerts.webhooks.ops]\n  url = "https://..."'
        )
    if name is not None and name not in settings.webhooks:
        known = ", ".join(settings.webhooks)
        raise UsageError(f"The project has no webhook {name!r}. It has: {known}.")
    names = list(settings.webhooks) if name is None else [name]
    return list(_trials([settings.webhooks[one] for one in names], clock))


def _trials(webhooks: list[Webhook], clock: Clock) -> Iterator[Trial]:
    ids = IdSource(clock)
    for webhook in webhooks:
        if webhook.problem:
            yield Trial(webhook=webhook.name, ok=False, status=0, problem=webhook.problem, said="")
            continue
        now_ns = clock.wall_ns()
        alert_id = ids.new("alert")
        alert = Alert(
            kind="budget",
            key=f"test/{alert_id}",
            at_ns=now_ns,
            message="This is a test of `trimtab alerts test`. Nothing happened.",
        )
        answer = post(Message(alert_id, body_of(alert, "alert.test")), webhook, now_ns=now_ns)
        yield Trial(
            webhook=webhook.name,
            ok=answer.fate == "delivered",
            status=answer.status,
            problem=answer.problem,
            said=answer.said,
        )
