"""A hidden prompt -> its prompt file, and words for what to change in the application."""

import json
import re
from typing import Final

from trimtab.prompts.hidden.found import HiddenPrompt, Placeholder
from trimtab.prompts.hidden.naming import name_variables

__all__ = ["prompt_file", "replacement"]

_TAG: Final = re.compile(r"\{{2,}+[%#]?|\{[%#]|\{\Z")
_MARKER: Final = re.compile(r"^([^\S\n]*+)<<([^\n]*)>>([^\S\n]*+)$", re.MULTILINE)
_PLAIN: Final = re.compile(r"[^{}\"\\]*+")
_PYTHON_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")


def prompt_file(hidden: HiddenPrompt, *, model: str) -> str:
    """The text of a prompt file that renders to the same text as `hidden`.

    Args:
        hidden: the prompt.
        model: alias or route for its front matter.
    """
    names = name_variables(hidden.variables)
    description = f"adopted from {hidden.place}"
    lines = ["---", f"model: {_quote(model)}", f"description: {_quote(description)}"]
    if names:
        lines += ["input:", "  schema:", *(f"    {name}: string" for name in names.values())]
    lines += ["---", f"<<{hidden.role}>>", _body(hidden, names)]
    return "\n".join(lines) + "\n"


def replacement(hidden: HiddenPrompt, prompt_id: str) -> str:
    """What to change in the application, in words; with an example where it is code.

    It never shows the text of the prompt.
    """
    lines = _lines(hidden)
    names = name_variables(hidden.variables)
    if hidden.kind == "python":
        return (
            f"{hidden.place}: remove {lines} ({hidden.name}) and call the prompt instead:\n\n"
            + (_python(hidden, names, prompt_id))
        )
    if hidden.kind == "typescript":
        return (
            f"{hidden.place}: remove {lines} ({hidden.name}) and call the prompt instead:\n\n"
            + (_typescript(hidden, names, prompt_id))
        )
    where = {
        "env": "",
        "compose": " from the service's environment",
        "kubernetes": " from the manifest",
    }[hidden.kind]
    sent = f", with {', '.join(names.values())} in its metadata" if names else ""
    return (
        f"{hidden.place}: delete {lines} ({hidden.name}){where}. Where the application reads "
        f'{hidden.name}, let it send model "prompt:{prompt_id}" instead{sent}.'
    )


def _body(hidden: HiddenPrompt, names: dict[str, str]) -> str:
    """The text as a template."""
    pieces: list[str] = []
    parts = hidden.parts
    for at, part in enumerate(parts):
        if isinstance(part, Placeholder):
            pieces.append(f"{{{{ {names[part.expression]} }}}}")
            continue
        last = at == len(parts) - 1
        pieces.append(_escape(part, last=last))
    return _MARKER.sub(_no_marker, "".join(pieces))


def _escape(text: str, *, last: bool) -> str:
    """Literal text as template text: whatever could begin a tag stands in a raw block."""
    return _TAG.sub(
        lambda match: (
            match.group()
            if last and match.group() == "{"  # nothing follows that it could begin
            else f"{{% raw %}}{match.group()}{{% endraw %}}"
        ),
        text,
    )


def _no_marker(match: re.Match[str]) -> str:
    before, inside, after = match.groups()
    if _PLAIN.fullmatch(inside):
        return f'{before}{{{{ "<<{inside}>>" }}}}{after}'
    return f'{before}{{{{ "<<" }}}}{inside}>>{after}'


def _python(hidden: HiddenPrompt, names: dict[str, str], prompt_id: str) -> str:
    values = _entries(hidden, names, braces=("{", "}"), line='        "%s": %s,\n')
    metadata = f"    metadata={{\n{values}    }},\n" if values else ""
    return (
        "answer = client.chat.completions.create(\n"
        f'    model="prompt:{prompt_id}",\n'
        "    messages=[],  # the conversation, without this text\n"
        f"{metadata})\n"
    )


def _typescript(hidden: HiddenPrompt, names: dict[str, str], prompt_id: str) -> str:
    values = _entries(hidden, names, braces=("${", "}"), line="    %s: %s,\n")
    metadata = f"  metadata: {{\n{values}  }},\n" if values else ""
    return (
        "const answer = await client.chat.completions.create({\n"
        f'  model: "prompt:{prompt_id}",\n'
        "  messages: [], // the conversation, without this text\n"
        f"{metadata}}});\n"
    )


def _entries(
    hidden: HiddenPrompt, names: dict[str, str], *, braces: tuple[str, str], line: str
) -> str:
    """One line for each variable: the expression of the application if it is one, else a name."""
    code = {
        part.expression
        for part in hidden.parts
        if isinstance(part, Placeholder) and part.written == braces[0] + part.expression + braces[1]
    }
    entries = ""
    for expression, name in names.items():
        plain = _PYTHON_NAME.fullmatch(expression) is not None or expression in code
        entries += line % (name, expression if plain else name)
    return entries


def _lines(hidden: HiddenPrompt) -> str:
    if hidden.line == hidden.end_line:
        return f"line {hidden.line}"
    return f"lines {hidden.line} to {hidden.end_line}"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
