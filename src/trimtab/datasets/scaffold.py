"""A suite to start from: a commented `suite.toml` and cases made up from the prompt's schema."""

from pathlib import Path
from typing import Final, NamedTuple

from trimtab.datasets.case import Case
from trimtab.datasets.samples import sample_variables
from trimtab.datasets.toml_text import toml_value
from trimtab.datasets.write import write_new_suite
from trimtab.prompts.prompt import Prompt

__all__ = ["Scaffold", "scaffold_suite", "starter_cases", "starter_text"]

_CASES: Final = 5
_NOTE: Final = (
    "An example: put in what users really send, and say under `expected` what a good answer has."
)

_HEAD: Final = """\
# What is tried before a change is released, and what a good answer is. See docs/evals.md.
# Everything here and in cases.jsonl is part of the suite's hash: a change demands a new gate.
description = {description}
{about}
repeats = 1                   # answers to each case; more of them lessen the noise
concurrency = 8               # answers asked for at a time
"""
_PROMPT: Final = "prompt = {prompt}"
_MODEL: Final = """\
# prompt = "support/triage"   # for cases with variables; without it cases bring messages
# model = "fast"              # alias, route or pin that answers them"""
_EVALUATORS: Final = """
# Each [[evaluators]] looks at every answer. See docs/evaluators.md.

[[evaluators]]
use = "contains"              # texts that a case expects: {{"contains": ["refund"]}}
"""
_FORMAT: Final = """
[[evaluators]]
use = "json_schema"           # the answer fits the output schema of the prompt
"""
_GATE: Final = """
[gate]
inconclusive = "extend"       # where the numbers cannot tell: "extend", "warn" or "block"

# How much worse is still good enough: a share, or for amounts a ratio. Nothing passes before there
# are cases enough to show it: 69 for 0.05, 173 for 0.02. See docs/gate.md.
[gate.margins]
accuracy = 0.05
format = 0.05
refusal = 0.05
hallucination = 0.05
latency = 1.10
cost = 1.10

# For a first release, with nothing to compare with: the least that is good enough.
# [gate.floors]
# accuracy = 0.85
"""


class Scaffold(NamedTuple):
    """What was made.

    Attributes:
        files: the two of the suite.
        problems: of the cases, what of the schema they do not fit, by id.
    """

    files: tuple[Path, Path]
    problems: dict[str, str]


def scaffold_suite(project: Path, name: str, prompt: Prompt | None = None) -> Scaffold:
    """Write a suite that loads as it is. Nothing is ever overwritten.

    Raises:
        UsageError: that is no name of a suite, it is there already, or it cannot be written.
    """
    made = starter_cases(prompt)
    cases = [case for case, _ in made]
    files = write_new_suite(project, name, suite_text=starter_text(name, prompt), cases=cases)
    return Scaffold(files, {case.id: problems for case, problems in made if problems})


def starter_text(name: str, prompt: Prompt | None = None) -> str:
    """A `suite.toml` with comments."""
    about = _MODEL if prompt is None else _PROMPT.format(prompt=toml_value(prompt.id))
    description = toml_value(f"What {name if prompt is None else prompt.id} must keep doing well")
    has_form = prompt is not None and prompt.behaviour.output is not None
    return (
        _HEAD.format(description=description, about=about)
        + _EVALUATORS.format()
        + (_FORMAT if has_form else "")
        + _GATE
    )


def starter_cases(prompt: Prompt | None = None) -> list[tuple[Case, str]]:
    """Five cases, each with what of the prompt's schema it does not fit; "" for nothing."""
    if prompt is None:
        return [(_case(n, {}, said=f"Example {n}"), "") for n in range(1, _CASES + 1)]
    found: list[tuple[Case, str]] = []
    for n, (variables, problems) in enumerate(sample_variables(prompt, _CASES), 1):
        # A prompt without variables is asked something beside it.
        said = "" if variables else f"Example {n}"
        found.append((_case(n, variables, said=said), problems))
    return found


def _case(n: int, variables: dict[str, object], *, said: str) -> Case:
    messages = [{"role": "user", "content": said}] if said else []
    return Case(
        id=f"example-{n}", variables=variables, messages=messages, tags=["example"], note=_NOTE
    )
