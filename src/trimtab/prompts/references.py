"""How people say which version of which prompt they mean."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from trimtab.errors import UnknownPrompt, UsageError
from trimtab.prompts.git import at_revision
from trimtab.prompts.library import FOLDER, Library
from trimtab.prompts.parse import SUFFIX, parse_prompt
from trimtab.prompts.prompt import Prompt

__all__ = ["FORMS", "resolve_reference"]

FORMS: Final = (
    "ID, ID@v12, ID@draft, ID@HASH (eight digits or more), ID@git:REVISION, the path of a "
    f"{SUFFIX} file, or the name of an environment"
)
"""All that a reference may be."""

_GIT: Final = "git:"
_MOST_SHOWN: Final = 80
_MOST_NAMES: Final = 5


def resolve_reference(
    library: Library, text: str, releases: Mapping[str, Mapping[str, str]]
) -> list[tuple[str, Prompt]]:
    """The versions that a reference means, by id: one, or all of an environment.

    Args:
        library: the prompts of the project.
        text: see `FORMS`. A path is looked for from the current folder, then from the project's.
        releases: of each environment, hashes of versions by the id of their prompts.

    Raises:
        UsageError: it means nothing, or two things; says what would be valid.
        ConfigError: a file is wrong, or a version on record is damaged.
    """
    is_prompt = text in library.prompts
    if text in releases:
        if is_prompt:
            raise UsageError(
                f"{text!r} is an environment and a prompt. Write {text}@draft for the prompt, or "
                "give one of them another name."
            )
        return _released(library, text, releases[text])
    if is_prompt:
        return [(text, library.prompts[text])]
    name, at, version = text.partition("@")
    if name.endswith(SUFFIX):
        file = _file(library, name)
        prompt_id = _id_in(library, file)
        if not at:
            return [
                _of_file(file) if prompt_id is None else (prompt_id, _draft(library, prompt_id))
            ]
        if prompt_id is None:
            raise UsageError(
                f"{name[:_MOST_SHOWN]!r} is not in {FOLDER} of this project. Give an id."
            )
        name = prompt_id
    if at:
        return [(name, _version(library, name, version))]
    raise UsageError(_nothing(library, text, releases))


def _version(library: Library, prompt_id: str, version: str) -> Prompt:
    if version.startswith(_GIT):
        return at_revision(library, prompt_id, version.removeprefix(_GIT))
    try:
        return library.version(prompt_id, version)
    except UnknownPrompt as error:
        raise UsageError(
            f"{error} Write {prompt_id[:_MOST_SHOWN]}@git:REVISION for one that is only in git."
        ) from None


def _released(
    library: Library, environment: str, hashes: Mapping[str, str]
) -> list[tuple[str, Prompt]]:
    if not hashes:
        raise UsageError(
            f"The environment {environment!r} has no releases. Promote a version to it first."
        )
    found: list[tuple[str, Prompt]] = []
    for prompt_id, version_hash in sorted(hashes.items()):
        try:
            found.append((prompt_id, library.version(prompt_id, version_hash)))
        except UnknownPrompt as error:
            raise UsageError(f"The environment {environment!r} names it: {error}") from None
    return found


def _file(library: Library, name: str) -> Path:
    for file in (Path(name), library.folder.parent / name):
        if file.is_file():
            return file.resolve()
    raise UsageError(f"There is no file {name[:_MOST_SHOWN]}. Give its path, or the prompt's id.")


def _id_in(library: Library, file: Path) -> str | None:
    """The id of the prompt in a file of the project; None for a file that is elsewhere."""
    folder = library.folder.resolve()
    if not file.is_relative_to(folder):
        return None
    return file.relative_to(folder).as_posix().removesuffix(SUFFIX)


def _draft(library: Library, prompt_id: str) -> Prompt:
    """A prompt as it is now; of a file that is wrong, all that is wrong."""
    return library.prompts.get(prompt_id) or parse_prompt(prompt_id, library.read)


def _of_file(file: Path) -> tuple[str, Prompt]:
    """A prompt of another project, or of none: its partials are those beside it."""
    around = [folder for folder in file.parents if folder.name == FOLDER]
    folder = around[0] if around else file.parent
    prompt_id = file.relative_to(folder).as_posix().removesuffix(SUFFIX)
    other = Library(folder, {}, ())
    return prompt_id, parse_prompt(prompt_id, other.read, folder=str(folder))


def _nothing(library: Library, text: str, releases: Mapping[str, Mapping[str, str]]) -> str:
    """What to say about a text that means nothing."""
    shown = text[:_MOST_SHOWN]
    broken = f"{FOLDER}/{text}{SUFFIX}:"
    if any(finding.place.startswith(broken) for finding in library.findings):
        return (
            f"The file of prompt {shown!r} is wrong. Run `trimtab prompts lint`, or name a version "
            f"on record: {shown}@v1."
        )
    known = [*library.prompts, *releases]
    near = difflib.get_close_matches(text[:_MOST_SHOWN], known, n=3)
    if near:
        return f"{shown!r} means nothing here. Did you mean {' or '.join(near)}?"
    prompts = ", ".join(sorted(library.prompts)[:_MOST_NAMES]) or "none"
    environments = ", ".join(sorted(releases)[:_MOST_NAMES]) or "none"
    return (
        f"{shown!r} means nothing here. Give {FORMS}. Prompts: {prompts}. Environments: "
        f"{environments}."
    )
