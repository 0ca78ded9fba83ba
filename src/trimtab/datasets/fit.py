"""Whether the cases of a suite fit the prompt that it is about."""

from typing import Final

from trimtab.datasets.case import Case
from trimtab.datasets.findings import MOST_SHOWN, Findings
from trimtab.datasets.folder import CASES, EVALS, SUITE
from trimtab.datasets.suite import Suite
from trimtab.errors import Finding, UnknownPrompt
from trimtab.prompts.library import Library
from trimtab.prompts.prompt import Prompt
from trimtab.prompts.values import problems_of, with_defaults

__all__ = ["suite_warnings"]

_NO_MESSAGES: Final = "the suite names no prompt, and the case has no messages"


def suite_warnings(
    suite: Suite, library: Library, *, most_findings: int = MOST_SHOWN
) -> list[Finding]:
    """What will go wrong with the prompts as they are now; the suite itself is right.

    Args:
        suite: as loaded.
        library: the prompts of the project; another version may fit where this one does not.
        most_findings: how many are told; one more counts the others.
    """
    place = f"{EVALS}/{suite.name}"
    found = Findings(place, most_findings)
    prompt = None
    if suite.prompt:
        try:
            prompt = library.prompt(suite.prompt)
        except UnknownPrompt as error:
            found.add(f"{place}/{SUITE} (prompt)", str(error).rstrip("."), "Correct the name")
            return found.all()
    for case in suite.cases:
        line = f"{place}/{CASES}:{suite.lines[case.id]}"
        if prompt is not None:
            _check_variables(case, prompt, line, found=found)
        elif not case.messages:
            found.add(line, _NO_MESSAGES, f"Add messages, or `prompt` to {SUITE}")
    return found.all()


def _check_variables(case: Case, prompt: Prompt, line: str, *, found: Findings) -> None:
    schema = prompt.behaviour.input
    if schema is None:
        return
    values = with_defaults({**prompt.behaviour.defaults, **case.variables}, schema)
    for problem in problems_of(values, schema):
        words = f"does not fit prompt {prompt.id}: {problem}"
        found.add(line, words, "Correct the variables, or the prompt's input.schema")
