"""Whose budget it is that an attempt spends from."""

from trimtab.config.money import Per
from trimtab.types.identity import Caller
from trimtab.types.records import Intent

__all__ = ["subject_of_intent", "subjects_of"]


def subjects_of(caller: Caller, *, route: str, model: str) -> dict[Per, str]:
    """The user, key, team, route or model (`provider:model`) that has it to itself; "" for all.

    Who does not say who asks shares the budget of the user "".
    """
    return {
        "user": caller.user,
        "key": caller.key_id,
        "team": caller.team,
        "model": model,
        "route": route,
        "total": "",
    }


def subject_of_intent(per: Per, intent: Intent) -> str:
    """The one of a kind that an attempt on record spends from."""
    model = f"{intent.provider}:{intent.model}"
    return subjects_of(intent.caller, route=intent.route, model=model)[per]
