"""What can be said about prompts without running them: one file for each family of rules."""

from trimtab.prompts.lint.lints import RULES, Lint, ModelFacts
from trimtab.prompts.lint.rules import lint

__all__ = ["RULES", "Lint", "ModelFacts", "lint"]
