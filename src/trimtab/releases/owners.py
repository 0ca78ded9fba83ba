"""Owners of prompts, as the lines of a CODEOWNERS file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from trimtab.errors import UsageError
from trimtab.prompts.library import Library
from trimtab.prompts.prompt import Prompt

__all__ = ["END", "begin_line", "owner_lines", "owners_file", "with_owners"]

END: Final = "# trimtab: end"
_PLACES: Final = (".github", ".", "docs", ".gitlab")  # the first one counts, as GitHub has it


def begin_line(prefix: str) -> str:
    """The comment above our lines; a repository may have several projects."""
    return f"# trimtab: owners of prompts in /{prefix} (by `trimtab release owners --write`)"


def owners_file(folder: Path, prefix: str = "") -> Path:
    """The CODEOWNERS file of a project's repository, or where one is to be.

    Args:
        folder: of the project.
        prefix: of that folder in its repository, with a slash at its end.
    """
    root = folder.resolve().parents[prefix.count("/") - 1] if prefix else folder
    files = [root / place / "CODEOWNERS" for place in _PLACES]
    return next((file for file in files if file.is_file()), files[0])


def owner_lines(library: Library, prefix: str = "") -> Iterator[str]:
    """Lines of CODEOWNERS, from the owners that prompts name.

    The later line wins there, so the files of a prompt come after those of all.

    Args:
        library: of the project.
        prefix: the project's folder in its repository, with a slash at its end.
    """
    top = "/" + prefix.replace(" ", r"\ ")
    everybody = sorted({o for prompt in library.prompts.values() for o in _owners(prompt)})
    if everybody:
        yield f"{top}releases/ {' '.join(everybody)}"
        yield f"{top}prompts/_partials/ {' '.join(everybody)}"
    for name, prompt in sorted(library.prompts.items()):
        owners = " ".join(_owners(prompt))
        if owners:
            yield f"{top}prompts/{name}.prompt.md {owners}"
            yield f"{top}prompts/_versions/{name}/ {owners}"


def with_owners(text: str, library: Library, prefix: str = "") -> str:
    """A CODEOWNERS file with our lines in it, in the place where they were or at the end.

    Raises:
        UsageError: nothing says where our lines end.
    """
    begin = begin_line(prefix)
    block = "\n".join((begin, *owner_lines(library, prefix), END))
    before, found, rest = text.partition(f"{begin}\n")
    if not found:
        return f"{text.rstrip()}\n\n{block}\n".lstrip()
    _, ended, after = rest.partition(END)
    if not ended:
        raise UsageError(f"CODEOWNERS has no line {END!r} below {begin!r}. Put it back.")
    return f"{before}{block}{after}"


def _owners(prompt: Prompt) -> list[str]:
    """Its owners; one with blanks in it would be a line or an owner of its own."""
    return " ".join(prompt.about.owners).split()
