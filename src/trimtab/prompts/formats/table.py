"""All formats, by the name that the command line gives them."""

from collections.abc import Mapping
from typing import Final

from trimtab.prompts.formats.border import Format
from trimtab.prompts.formats.dotprompt import Dotprompt
from trimtab.prompts.formats.langfuse import Langfuse
from trimtab.prompts.formats.openai import OpenAI
from trimtab.prompts.formats.promptfoo import Promptfoo
from trimtab.prompts.formats.prompty import Prompty

__all__ = ["FORMATS"]

FORMATS: Final[Mapping[str, Format]] = {
    "dotprompt": Dotprompt(),
    "langfuse": Langfuse(),
    "openai": OpenAI(),
    "promptfoo": Promptfoo(),
    "prompty": Prompty(),
}
