"""Whether an answer says that the documents do not say."""

from trimtab.evals.evaluator import Sample

__all__ = ["abstains_rightly"]

_ABSTAINS = ("do not say", "does not say", "don't say", "not mention")


def abstains_rightly(sample: Sample) -> dict[str, object] | None:
    """1 where it abstains if, and only if, the documents have no answer."""
    if sample.case.expected.get("refuse"):
        return None
    wanted = bool(sample.case.expected.get("abstain"))
    text = sample.text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    abstains = any(phrase in text for phrase in _ABSTAINS)
    if abstains == wanted:
        return {"value": 1.0, "label": "abstains" if abstains else "answers"}
    return {"value": 0.0, "label": "invents" if wanted else "gives up"}
