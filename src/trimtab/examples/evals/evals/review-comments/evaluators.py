"""Whether a comment is about the change, and not about changes in general."""

import re

from trimtab.evals.evaluator import Sample

__all__ = ["points_at_the_change"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]{2,}")


def points_at_the_change(sample: Sample) -> dict[str, object] | None:
    """The share of a comment's code-like words that stand in the diff; 0 where it has none.

    Says nothing of comments on changes that are fine, and cannot see whether a comment is right.
    """
    if sample.case.expected.get("approve"):
        return None
    diff = set(_NAME.findall(str(sample.case.variables["diff"])))
    said = {word for word in _NAME.findall(sample.text) if _looks_like_code(word) or word in diff}
    found = said & diff
    if not found:
        return {"value": 0.0, "label": "general"}
    return {"value": len(found) / len(said), "label": "names the change"}


def _looks_like_code(word: str) -> bool:
    return "_" in word or any(letter.isupper() for letter in word[1:])
