"""Files -> one checked version of a prompt. Pure: the texts are passed in."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from trimtab.errors import ConfigError, Finding
from trimtab.prompts.body import Text, Turn, parse_body
from trimtab.prompts.front_matter import FrontMatter, parse_front_matter, split_file
from trimtab.prompts.language import TemplateProblem, check_template
from trimtab.prompts.prompt import MAIN, About, Prompt
from trimtab.prompts.template import Templates
from trimtab.prompts.version import Behaviour, content_hash

__all__ = ["SUFFIX", "FileReader", "file_of", "parse_prompt"]

SUFFIX: Final = ".prompt.md"
"""What the names of prompt files end with."""

_DEEPEST_PARTIALS: Final = 30

FileReader = Callable[[str], str | None]
"""Text of a file below `prompts/`, such as `_partials/tone.md`; None where there is none."""


def file_of(prompt_id: str) -> str:
    """The file of a prompt, below `prompts/`."""
    return f"{prompt_id}{SUFFIX}"


def parse_prompt(prompt_id: str, read: FileReader, *, folder: str = "prompts") -> Prompt:
    """A prompt from its files.

    Args:
        prompt_id: path without `.prompt.md`.
        read: gives the texts of files.
        folder: what the names of files begin with in findings.

    Raises:
        ConfigError: a file is missing or wrong; the findings carry file and line.
    """
    name = file_of(prompt_id)
    files = _Kept(read)
    text = files.read(name)
    if text is None:
        raise ConfigError([Finding(f"{folder}/{name}", "no such file", "Check the prompt's name")])
    split = split_file(text, f"{folder}/{name}")
    front = parse_front_matter(split.front, f"{folder}/{name}")
    parser = _Parser(f"{folder}/{name}", folder, files.read, body_line=split.body_line)
    turns = parser.turns(split.body)
    partials = parser.partials(turns)
    behaviour = Behaviour(
        model=front.model,
        config=front.config,
        input=front.input,
        defaults=front.defaults,
        untrusted=tuple(sorted(front.untrusted)),
        output=front.output,
        repair=front.repair,
        body=split.body.strip("\n"),
        partials=partials,
        tools={tool: parser.tool(tool, front) for tool in front.tools},
    )
    return Prompt(
        prompt_id,
        About(description=front.description, suite=front.suite, owners=front.owners),
        behaviour,
        version_hash=content_hash(behaviour),
        turns=turns,
        templates=parser.templates(turns, partials),
        files=files.texts,
    )


class _Kept:
    """Reads files and keeps what it has read."""

    def __init__(self, read: FileReader) -> None:
        self._read = read
        self.texts: dict[str, str] = {}

    def read(self, name: str) -> str | None:
        text = self._read(name)
        if text is not None:
            self.texts[name] = text
        return text


class _Parser:
    """Turns problems into findings, with the lines of the file."""

    def __init__(self, file: str, folder: str, read: FileReader, *, body_line: int) -> None:
        self._file = file
        self._folder = folder
        self._read = read
        self._before = body_line - 1

    def turns(self, body: str) -> tuple[Turn, ...]:
        try:
            return parse_body(body)
        except TemplateProblem as error:
            raise self._found(error, self._file, self._before) from None

    def partials(self, turns: tuple[Turn, ...]) -> dict[str, str]:
        """The partials that the turns reach, by name."""
        found: dict[str, str] = {}
        for text in _texts(turns).values():
            before = self._before + text.line - 1
            self._reach(text.source, self._file, before, found=found, way=())
        return dict(sorted(found.items()))

    def _reach(
        self, source: str, file: str, before: int, *, found: dict[str, str], way: tuple[str, ...]
    ) -> None:
        """Add what a text includes to `found`; `way` are the partials that lead to it."""
        try:
            names = check_template(source)
        except TemplateProblem as error:
            raise self._found(error, file, before) from None
        for name in names:
            if name in way:
                loop = " -> ".join((*way[way.index(name) :], name))
                place = _place_of(name, source, file, before=before)
                raise self._wrong(place, f"partials include each other: {loop}", "Break the loop")
            if len(way) >= _DEEPEST_PARTIALS:
                place = _place_of(name, source, file, before=before)
                problem = f"partials include each other more than {_DEEPEST_PARTIALS} deep"
                raise self._wrong(place, problem, "Use fewer levels")
            if name in found:
                continue
            text = self._read(name)
            if text is None:
                problem = f"there is no partial {name}"
                place = _place_of(name, source, file, before=before)
                raise self._wrong(place, problem, f"Write {self._folder}/{name}")
            # Editors end a file with a line end, which is no part of what it says.
            found[name] = text.replace("\r\n", "\n").removesuffix("\n")
            place = f"{self._folder}/{name}"
            self._reach(found[name], place, 0, found=found, way=(*way, name))

    def templates(self, turns: tuple[Turn, ...], partials: Mapping[str, str]) -> Templates:
        texts = _texts(turns)
        # One by one first, since only then it is known where the problem is.
        empty = dict.fromkeys(partials, "")
        for name, source in partials.items():
            self._compiled({**empty, name: source}, f"{self._folder}/{name}", 0)
        for name, text in texts.items():
            before = self._before + text.line - 1
            self._compiled({**empty, name: text.source}, self._file, before)
        return Templates({**partials, **{name: text.source for name, text in texts.items()}})

    def _compiled(self, sources: Mapping[str, str], file: str, before: int) -> None:
        try:
            Templates(sources)
        except TemplateProblem as error:
            raise self._found(error, file, before) from None

    def tool(self, name: str, front: FrontMatter) -> dict[str, Any]:
        """The definition of a tool, as the provider gets it."""
        file = f"_tools/{name}.json"
        text = self._read(file) if name.replace("-", "").replace("_", "").isalnum() else None
        place = f"{self._file}:{front.line('tools')} (tools)"
        if text is None:
            problem = f"there is no tool {name[:40]!r}"
            raise ConfigError([Finding(place, problem, f"Write {self._folder}/{file}")])
        try:
            return {"type": "function", "function": msgspec.json.decode(text, type=dict[str, Any])}
        except msgspec.DecodeError as error:
            where = f"{self._folder}/{file}"
            raise ConfigError([Finding(where, f"not JSON: {error}", "Correct it")]) from None

    def _found(self, error: TemplateProblem, file: str, before: int) -> ConfigError:
        return ConfigError([Finding(f"{file}:{before + error.line}", error.problem, error.remedy)])

    def _wrong(self, place: str, problem: str, remedy: str) -> ConfigError:
        return ConfigError([Finding(place, problem, remedy)])


def _place_of(name: str, source: str, file: str, *, before: int) -> str:
    """File and line on which a text includes a partial."""
    return f"{file}:{before + source.count(chr(10), 0, source.find(name)) + 1}"


def _texts(turns: tuple[Turn, ...]) -> dict[str, Text]:
    """The templates of a body, by the names that `Prompt` gives them."""
    return {
        f"{MAIN}{number}/{place}": part
        for number, turn in enumerate(turns)
        for place, part in enumerate(turn.parts)
        if isinstance(part, Text)
    }
