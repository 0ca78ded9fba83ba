"""What lint says, and the list of its rules."""

from typing import Final, Literal, NamedTuple

import msgspec

__all__ = ["RULES", "Lint", "ModelFacts", "Rule", "Severity"]

Severity = Literal["error", "warning"]


class Lint(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a rule found.

    Attributes:
        prompt: its id; "" for what belongs to none.
        rule: a name in `RULES`.
        severity: an error fails a check, a warning does not.
        place: `file:line`, from the folder of the project.
        problem: what is wrong.
        remedy: what to do.
    """

    prompt: str
    rule: str
    severity: Severity
    place: str
    problem: str
    remedy: str


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What lint wants to know about an alias or route.

    Attributes:
        ref: `provider:model` of what serves it first.
        context_tokens: its context window; None where it is not known.
        self_hosted: nobody else can change the model behind its name.
    """

    ref: str
    context_tokens: int | None = None
    self_hosted: bool = False


class Rule(NamedTuple):
    """A rule.

    Attributes:
        severity: of what it finds.
        finds: in words, for the docs.
    """

    severity: Severity
    finds: str


RULES: Final[dict[str, Rule]] = {
    "file": Rule("error", "the file cannot be used: syntax, keys, a missing partial or tool"),
    "undeclared-name": Rule("error", "a name or field that `input.schema` does not declare"),
    "unused-input": Rule("warning", "a declared variable that no template uses"),
    "unfenced": Rule("error", "text of an untrusted variable is printed without `fence`"),
    "wrong-default": Rule("error", "a default that does not fit the schema"),
    "no-suite": Rule("warning", "no `suite`: nothing says whether a change is good"),
    "missing-suite": Rule("warning", "there is no folder `evals/SUITE`"),
    "unknown-model": Rule("error", "`model` is neither an alias nor a route of `trimtab.toml`"),
    "floating-model": Rule("warning", "its provider may change the model: no date at its end"),
    "long": Rule("warning", "the fixed text takes more than half of the context window"),
    "too-long": Rule("error", "the fixed text takes more than the context window"),
    "secret": Rule("error", "something that looks like a credential; shown by its kind only"),
    "email": Rule("warning", "the e-mail address of somebody"),
    "duplicate": Rule("warning", "nearly the same text as another prompt"),
    "unused-image": Rule("warning", "an input described as an image, without `<<image NAME>>`"),
    "unused-tool": Rule("warning", "a tool that is never offered, or that no prompt names"),
    "loose-output": Rule("warning", "an output schema that strict structured output refuses"),
    "wrong-example": Rule("error", "the answer of an example does not fit the output schema"),
    "switch": Rule("error", "a `lint: off` without a reason, or of a rule that there is not"),
}  # fmt: skip
"""All rules by name. The table in `docs/prompts.md` is held to it by a test."""
