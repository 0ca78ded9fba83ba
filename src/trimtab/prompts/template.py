"""Templates of prompts: compiled once, rendered with JSON values, never twice."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from minijinja import Environment, TemplateError

from trimtab.errors import PromptTooLarge, PromptVariables
from trimtab.prompts.language import TemplateProblem, check_template

__all__ = ["MOST_RENDERED_CHARACTERS", "Templates", "fence", "too_long"]

MOST_RENDERED_CHARACTERS: Final = 20_000_000

_FUEL: Final = 1_000_000  # some ten milliseconds, whatever is done with it
_MOST_SOURCE_CHARACTERS: Final = 1_000_000
_OPEN, _CLOSE = "<untrusted>", "</untrusted>"
# One way to match any blanks: with two, a value of nothing but blanks would take for ever.
_TAG: Final = re.compile(r"<(?=\s*(?:/\s*)?untrusted)", re.IGNORECASE)
_HARMLESS: Final = r"<\\"

# What the engine has beside the language. It would be refused before; this is the second lock.
_OTHER_FILTERS: Final = (
    "attr", "batch", "chain", "dictsort", "e", "escape", "format", "groupby", "pprint", "safe",
    "slice", "sum", "urlencode", "zip",
)  # fmt: skip
_OTHER_GLOBALS: Final = ("debug", "dict", "namespace", "cycler", "joiner")


def fence(value: object) -> str:
    """A text that nobody vouches for, in tags that it cannot close.

    Models are told by their system text what the tags mean; the tags alone are no defence.
    """
    return f"{_OPEN}\n{_TAG.sub(_HARMLESS, _printed(value))}\n{_CLOSE}"


class Templates:
    """The templates of one version of a prompt. Belongs to one thread at a time.

    Args:
        sources: by name; those of partials begin with `_partials/`.

    Raises:
        TemplateProblem: one is not in the language, or includes what is not there. Its line is
            that of the text.
    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._environment = _environment()
        for name, source in sources.items():
            self._add(name, source, sources)

    def _add(self, name: str, source: str, sources: Mapping[str, str]) -> None:
        if len(source) > _MOST_SOURCE_CHARACTERS:
            raise TemplateProblem(
                1, "longer than a million characters", "Pass long texts as variables"
            )
        for partial in check_template(source):
            if partial not in sources:
                problem = f"there is no partial {partial}"
                raise TemplateProblem(1, problem, f"Write prompts/{partial}")
        try:
            self._environment.add_template(name, source)
        except TemplateError as error:
            raise TemplateProblem(
                error.line or 1, _first_line(error), "Correct the template"
            ) from None

    def names_in(self, name: str) -> set[str]:
        """Names that a template takes from its values, such as `ticket` and `user.name`."""
        return set(self._environment.undeclared_variables_in_template(name, nested=True))

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """The text of one template.

        Args:
            name: which one.
            values: JSON values.

        Raises:
            PromptVariables: a value that the template needs is not there, or of a kind with which
                it can do nothing. No value is shown.
            PromptTooLarge: it takes too much work, or becomes too long.
        """
        try:
            text = self._environment.render_template(name, **values)
        except TemplateError as error:
            raise _told(error) from None
        if len(text) > MOST_RENDERED_CHARACTERS:
            raise too_long()
        return text


def too_long() -> PromptTooLarge:
    """What to say of a rendered prompt that is too long."""
    return PromptTooLarge(
        f"The rendered prompt is longer than {MOST_RENDERED_CHARACTERS:,} characters. "
        "Send less in its variables."
    )


def _environment() -> Environment:
    environment = Environment(
        undefined_behavior="strict",
        auto_escape_callback=_never,
        debug=False,  # an error must not carry values
        fuel=_FUEL,
        finalizer=_printed,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        pycompat=False,
        filters={"fence": fence},
    )
    for name in _OTHER_FILTERS:
        environment.remove_filter(name)
    for name in _OTHER_GLOBALS:
        environment.remove_global(name)
    return environment


def _never(_name: str) -> bool:
    return False


def _printed(value: object) -> str:
    """A value as it stands in a text: text as it is, all else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _told(error: TemplateError) -> PromptTooLarge | PromptVariables:
    """What a caller may know: the engine's own words contain parts of the template."""
    where = f" (line {error.line})" if error.line else ""
    if error.kind == "OutOfFuel":
        return PromptTooLarge(
            f"Rendering this prompt takes too much work{where}. Send less in its variables."
        )
    if error.kind == "UndefinedError":
        return PromptVariables(
            f"The prompt uses a value that is not there{where}. Send every variable that it needs, "
            "or give it a default."
        )
    return PromptVariables(
        f"The prompt cannot be rendered with these variables{where}. Compare their types with "
        "those that its schema declares."
    )


def _first_line(error: TemplateError) -> str:
    return str(error).partition("\n")[0].partition(" (in ")[0]
