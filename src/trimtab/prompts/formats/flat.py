"""Templates that know variables and nothing else: `{{name}}`."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from trimtab.prompts.formats.border import Remarks
from trimtab.prompts.formats.expressions import RESERVED_NAMES
from trimtab.prompts.formats.jinja_writer import write_jinja
from trimtab.prompts.formats.nodes import (
    Choice,
    Constant,
    Loop,
    Node,
    Note,
    OrEmpty,
    Path,
    Value,
    Words,
)

__all__ = ["flat_path", "read_flat", "write_flat"]

_PLACE: Final = re.compile(r"\{\{([^{}\n]+)\}\}")
_NEAR: Final = re.compile(r"\w[\w .-]*")
_NAME: Final = re.compile(r"[^\W\d_]\w*(?:\.[^\W\d_]\w*)*")


def read_flat(text: str, remarks: Remarks) -> tuple[Node, ...]:
    """Text with the places of variables. Names that ours cannot have are changed, with a remark."""
    nodes: list[Node] = []
    at = 0
    for place in _PLACE.finditer(text):
        nodes += [Words(text[at : place.start()])] if at < place.start() else []
        nodes.append(_place(place, remarks))
        at = place.end()
    return (*nodes, *([Words(text[at:])] if at < len(text) else []))


def flat_path(text: str, remarks: Remarks) -> Path | None:
    """The variable that a text consists of; None if it is anything else."""
    match read_flat(text.strip(), remarks):
        case (Value(Path() as path),):
            return path
        case _:
            return None


def write_flat(nodes: Sequence[Node], remarks: Remarks) -> str:
    """The text; what is more than a variable stays visible, in our language."""
    return "".join(_shown(nodes, remarks))


def _place(place: re.Match[str], remarks: Remarks) -> Node:
    name = place[1].strip()
    if _NEAR.fullmatch(name) is None:
        remarks.add(
            f"{place[0][:40]!r} is no variable; it stays in the text as it is",
            "Write it in our language, or let the application compute the text",
        )
        return Words(place[0])
    path = name if _NAME.fullmatch(name) else re.sub(r"\W", "_", name).strip("_")
    path = path if path and path[0].isalpha() else f"v_{path}".rstrip("_")
    if path.split(".")[0] in RESERVED_NAMES:
        path = f"{path}_value" if "." not in path else path.replace(".", "_")
    if path != name:
        remarks.add(
            f"variables cannot be named {name[:40]!r} here",
            f"Pass it as {path[:40]}",
        )
    elif "." in path:
        remarks.add(
            f"{name[:40]!r} was one name with a point in it",
            f"Pass an object: {path.split('.')[0]} with its fields",
        )
    return Value(Path(tuple(path.split("."))))


def _shown(nodes: Sequence[Node], remarks: Remarks) -> Iterator[str]:
    for node in nodes:
        match node:
            case Words(text) | Value(Constant(str(text))):
                if _PLACE.search(text):
                    remarks.add(
                        "a text looks like a variable, and this format cannot say that it is none",
                        "Write the braces in another way, or pass the text as a variable",
                    )
                yield text
            case Value(Path() as path) | Value(OrEmpty(path, "text")):
                name = ".".join(path.names)
                if "." in name:
                    remarks.add(
                        f"variables of this format have no fields: {name[:60]!r}",
                        "Pass the field under this name, with the point in it",
                    )
                elif not isinstance(node.expression, Path):
                    remarks.add(
                        f"{name[:40]!r} may be absent here, and must be sent there",
                        "Pass an empty text",
                    )
                yield f"{{{{{name}}}}}"
            case Note():
                remarks.add("a comment was left out", "Keep it in the description")
            case _:
                shown = write_jinja([node], ours=True)
                what = "a condition" if isinstance(node, Choice) else "an expression"
                what = "a loop" if isinstance(node, Loop) else what
                remarks.add(
                    f"this format has no equivalent of {what}; it stays in the text as it is: "
                    f"{shown[:40]!r}",
                    "Let the application compute the text, and pass it as a variable",
                )
                yield shown
