"""One prompt in many commits."""

from typing import Final, NamedTuple

from trimtab.errors import ConfigError, Finding
from trimtab.prompts.git_program import Blobs
from trimtab.prompts.library import FOLDER
from trimtab.prompts.parse import file_of, parse_prompt
from trimtab.prompts.prompt import Prompt

__all__ = ["State", "States"]

_MOST_BYTES: Final = 2_000_000  # of a file
_MOST_KNOWN: Final = 8


class State(NamedTuple):
    """A prompt in a commit.

    Attributes:
        files: contents of all files that it was read from, by name; None for one that is missing.
        prompt: None if they are wrong.
        findings: what is wrong.
    """

    files: dict[str, bytes | None]
    prompt: Prompt | None
    findings: tuple[Finding, ...]

    @property
    def version_hash(self) -> str:
        """Of the prompt; "" if there is none."""
        return "" if self.prompt is None else self.prompt.version_hash


class States:
    """Reads a prompt in many commits, and parses it only where it is not what it was in another."""

    def __init__(self, blobs: Blobs, prompt_id: str) -> None:
        self._blobs = blobs
        self._prompt_id = prompt_id
        self._known: list[State] = []
        self._nothing = State({file_of(prompt_id): None}, None, ())

    def at(self, commit: str) -> State:
        """The prompt in a commit; "" stands for before the first one."""
        if not commit:
            return self._nothing
        contents: dict[str, bytes | None] = {}

        def content(name: str) -> bytes | None:
            if name not in contents:
                contents[name] = self._blobs.read(commit, name)
            return contents[name]

        for state in reversed(self._known):
            if all(content(name) == was for name, was in state.files.items()):
                return state
        state = self._parsed(commit)
        self._known = [*self._known[1 - _MOST_KNOWN :], state]
        return state

    def _parsed(self, commit: str) -> State:
        files: dict[str, bytes | None] = {}
        folder = f"{commit[:8]}:{FOLDER}"

        def read(name: str) -> str | None:
            content = files[name] = self._blobs.read(commit, name)
            return None if content is None else _decoded(content, f"{folder}/{name}")

        try:
            prompt = parse_prompt(self._prompt_id, read, folder=folder)
        except ConfigError as error:
            return State(files, None, tuple(error.findings))
        return State(files, prompt, ())


def _decoded(content: bytes, place: str) -> str:
    if len(content) > _MOST_BYTES:
        raise ConfigError([Finding(place, "larger than 2 MB", "Choose another revision")])
    try:
        return content.decode()
    except UnicodeDecodeError:
        problem = "cannot be read as UTF-8"
        raise ConfigError([Finding(place, problem, "Choose another revision")]) from None
