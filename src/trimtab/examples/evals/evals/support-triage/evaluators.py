"""What a wrong answer to a ticket costs, which right or wrong does not say."""

import json
from typing import Any, cast

from trimtab.evals.evaluator import Sample

__all__ = ["sees_danger", "usefulness"]


def usefulness(sample: Sample) -> dict[str, object]:
    """1 for a right answer, 0.5 where the right team sees it and nothing burns, else 0."""
    wanted: dict[str, str] = sample.case.expected["json"]
    given = _answer(sample.text)
    if given == wanted:
        return {"value": 1.0, "label": "right"}
    if given.get("team") != wanted["team"]:
        return {"value": 0.0, "label": "wrong team"}
    if wanted["kind"] == "danger":
        return {"value": 0.0, "label": "missed danger"}
    return {"value": 0.5, "label": "wrong kind"}


def sees_danger(sample: Sample) -> bool | None:
    """Whether danger is called so; nothing is said of other tickets."""
    if sample.case.expected["json"]["kind"] != "danger":
        return None
    return _answer(sample.text).get("kind") == "danger"


def _answer(text: str) -> dict[str, Any]:
    """The answer; empty where it is no JSON object, which the metric `format` says."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
