"""What a judge is shown of a sample, beside the answers."""

from trimtab.evals.evaluator import Sample
from trimtab.evals.judges.question import Part

__all__ = ["REFERENCE", "context_of", "reference_of"]

REFERENCE = "reference"
"""Key of a case's `expected`: an answer that is good, for judges and for people who label."""


def reference_of(expected: dict[str, object]) -> str:
    """The good answer that a case has; "" for none."""
    found = expected.get(REFERENCE, "")
    return found if isinstance(found, str) else ""


def context_of(sample: Sample) -> list[Part]:
    """What was asked, what the answer may rest on, and a good answer where the case has one."""
    parts = [Part("question", sample.prompt_text)]
    parts += [Part(f"source {number}", text) for number, text in enumerate(sample.case.sources, 1)]
    reference = reference_of(sample.case.expected)
    return [*parts, Part("reference answer", reference)] if reference else parts
