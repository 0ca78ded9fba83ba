"""What surrounds a text in source code, and what that says about its use."""

import re
from dataclasses import dataclass, replace
from typing import Final

from trimtab.prompts.hidden.found import Candidate, Kind, Part, Use, word_set

__all__ = ["NOWHERE", "Context", "in_argument", "in_message", "inside", "to_candidate"]

_ROLES: Final = frozenset(
    ("system", "developer", "user", "human", "assistant", "ai", "model", "tool")
)
_SAME_ROLE: Final = {"human": "user", "ai": "assistant", "model": "assistant"}
_MAKES: Final = re.compile(
    r"(?:^|\.)(?:(?P<role>System|Developer|Human|User|AI|Chat)?Message(?:PromptTemplate)?"
    r"|(?:Chat|FewShot)?PromptTemplate|PromptBuilder)(?:\.from_?(?:template|messages|Template"
    r"|Messages))?$"
)
_FILLS: Final = frozenset(("", "content", "template", "prompt", "text", "prefix", "suffix"))
_ASKS: Final = re.compile(
    r"(?i:(?:llm|model|chat|claude|gpt|openai|anthropic|gemini|mistral|ollama|agent|completions?"
    r"|responses?|assistant)\w*)"
    r"(?:\.\w+)*?(?:\.(?:invoke|ainvoke|generate\w*|complete|acomplete|predict|run|chat|ask"
    r"|stream|send_message|sendMessage|create"
    r"|call|query|prompt))$|(?:^|\.)(?:Agent|Assistant|GenerativeModel|streamText|ask_?(?:llm"
    r"|model|gpt|claude)|call_?(?:llm|model|gpt|claude)|generate_content|generateContent"
    r"|generate_?text|chat_?completion|llm)$",
)
_ASKED: Final = frozenset(("", "input", "contents", "message"))
_TOLD: Final = word_set(
    "system instructions prompt system_prompt systemPrompt system_instruction systemInstruction"
    " system_message systemMessage"
)
_CARRIES: Final = re.compile(r"prompt|instruction|system|persona", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Context:
    """How a text stands in the code around it; as in `Candidate`."""

    name: str = ""
    use: Use = "text"
    role: str = ""
    callee: str = ""
    home: str = ""
    beside_model: bool = False


NOWHERE: Final = Context()


def in_message(context: Context, role: str) -> Context:
    """The context of a message's content; unchanged if `role` is none that a model knows."""
    role = role.lower()
    if role not in _ROLES:
        return context
    role = _SAME_ROLE.get(role, role)
    return replace(context, use="message", role=role, name=role)


def in_argument(context: Context, callee: str, name: str = "") -> Context:
    """The context of an argument of `callee`, by its name, or without one."""
    made = _MAKES.search(callee)
    plain = replace(context, use="argument", name=name, callee=callee, role="")
    if made is not None and name in _FILLS:
        role = (made["role"] or "").lower()
        if role in _ROLES:
            return in_message(plain, role)
        return replace(plain, use="template", name="template" if name in {"", "content"} else name)
    if _ASKS.search(callee):
        if name in _ASKED:
            return replace(plain, name="prompt")
        if name in _TOLD:
            return replace(plain, use="template")
    return plain


def inside(context: Context, key: str) -> Context:
    """The context of a value under `key` of a mapping that stands in `context`."""
    if context.use == "message" and key in {"text", "content", "parts"}:
        return context
    carried = context.name and _CARRIES.search(context.name)
    name = f"{context.name}.{key}" if carried else key
    use: Use = "argument" if context.callee else "assigned"
    return replace(context, name=name, use=use, role="")


def to_candidate(
    context: Context, *, kind: Kind, lines: tuple[int, int], parts: tuple[Part, ...]
) -> Candidate:
    """The candidate for a text on `lines` (first and last)."""
    return Candidate(
        kind=kind,
        line=lines[0],
        end_line=lines[1],
        name=context.name,
        parts=parts,
        use=context.use,
        role=context.role,
        callee=context.callee,
        home=context.home,
        beside_model=context.beside_model,
    )
