"""Foreign text -> JSON values, or an error with a place."""

from typing import Any, Final, NoReturn, cast

import msgspec

from trimtab.errors import ConfigError, Finding
from trimtab.prompts.front_matter import split_file
from trimtab.prompts.yaml_text import load_all

__all__ = ["depth_of", "list_of", "load_front", "load_json", "load_yaml", "mapping_of", "refuse"]

_DEEPEST: Final = 60
_MOST_SHARED: Final = 10_000  # values that aliases of YAML may add


def load_json(text: str, file: str) -> Any:  # noqa: ANN401 - a JSON value of any kind
    """A JSON value.

    Raises:
        ConfigError: it is not JSON.
    """
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        refuse(file, f"not JSON: {error}", "Export it again")
    except (RecursionError, UnicodeEncodeError):
        refuse(file, "not JSON that can be read", "Export it again")
    if depth_of(value) > _DEEPEST:
        refuse(file, f"nested more than {_DEEPEST} deep", "Flatten it")
    return value


def depth_of(value: object) -> int:
    """How many mappings and lists are inside each other."""
    depth, level = 0, [value]
    while level:
        inside: list[object] = []
        for one in level:
            inside += [*mapping_of(one).values(), *list_of(one)]
        level, depth = inside, depth + 1
    return depth - 1


def load_yaml(text: str, file: str, *, first_line: int = 1) -> Any:  # noqa: ANN401 - a JSON value of any kind
    """A value of YAML; aliases are followed.

    Raises:
        ConfigError: it is not YAML, or not one document.
    """
    documents = load_all(text, file=file, first_line=first_line, expansion=_MOST_SHARED)
    if len(documents) > 1:
        refuse(file, "there are several documents of YAML", "Import them one by one")
    value = documents[0].value if documents else None
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError:
        refuse(file, "it contains half a character", "Write the character itself")
    return value


def load_front(text: str, file: str) -> tuple[dict[str, Any], str]:
    """The front matter of a file and what follows it.

    Raises:
        ConfigError: it has no end, or is no mapping.
    """
    split = split_file(text, file)
    value = load_yaml(split.front, file, first_line=2)
    if value is not None and not isinstance(value, dict):
        refuse(f"{file}:2", "the front matter is not one mapping", "Write `key: value` lines")
    return (cast("dict[str, Any]", value) if value else {}), split.body


def mapping_of(value: object) -> dict[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def list_of(value: object) -> list[object]:
    """The value if it is a list, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def refuse(place: str, problem: str, remedy: str) -> NoReturn:
    """Raise what is wrong with a file.

    Raises:
        ConfigError: always.
    """
    raise ConfigError([Finding(place, problem, remedy)])
