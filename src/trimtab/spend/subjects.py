"""Whose budget it is that an attempt spends from."""

from trimtab.config.money import Per
from trimtab.types.identity import Caller
from trimtab.types.records import Intent

__all__ = ["subject_of", "subject_of_intent"]


def subject_of(per: Per, caller: Caller, *, route: str, model: str) -> str:
    """The user, key, team, route or model (`provider:model`) that has it to itself; "" for all.

    Who does not say who asks shares the budget of the user "".
    """
    match per:
        case "user":
            return caller.user
        case "key":
            return caller.key_id
        case "team":
            return caller.team
        case "model":
            return model
        case "route":
            return route
        case "total":
            return ""


def subject_of_intent(per: Per, intent: Intent) -> str:
    """The same, from what is on record."""
    model = f"{intent.provider}:{intent.model}"
    return subject_of(per, intent.caller, route=intent.route, model=model)
