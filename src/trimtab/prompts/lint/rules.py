"""All rules over all prompts of a project."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final

from trimtab.errors import ConfigError, Finding
from trimtab.prompts.library import FOLDER, Library
from trimtab.prompts.lint.answers import check_answers
from trimtab.prompts.lint.duplicates import check_duplicates
from trimtab.prompts.lint.lints import RULES, Lint, ModelFacts
from trimtab.prompts.lint.names import check_names
from trimtab.prompts.lint.offers import check_offers, check_tools
from trimtab.prompts.lint.secrets import check_secrets
from trimtab.prompts.lint.source import Source, source_of
from trimtab.prompts.lint.suites import check_suite
from trimtab.prompts.lint.switches import switched
from trimtab.prompts.lint.target import check_model
from trimtab.prompts.parse import SUFFIX

__all__ = ["lint"]

_ORDER: Final = {"error": 0, "warning": 1}


def lint(library: Library, *, models: Mapping[str, ModelFacts]) -> list[Lint]:
    """What is wrong with the prompts of a project, by prompt, errors first.

    Args:
        library: its prompts; what could not be parsed is among the findings.
        models: what `model` may name: aliases and routes.
    """
    found = [_of_file(finding) for finding in library.findings]
    sources: list[Source] = []
    for _, prompt in sorted(library.prompts.items()):
        try:
            sources.append(source_of(prompt, library))
        except ConfigError as error:  # it was changed meanwhile
            found += map(_of_file, error.findings)
    alike = list(check_duplicates(sources))
    for source in sources:
        own = [one for one in alike if one.prompt == source.prompt.id]
        found += switched(source, chain(_checked(source, library, models), own))
    found += check_tools(sources, library)
    return sorted(found, key=lambda one: (one.prompt, _ORDER[one.severity], *_line_of(one.place)))


def _checked(source: Source, library: Library, models: Mapping[str, ModelFacts]) -> Iterator[Lint]:
    yield from check_names(source)
    yield from check_model(source, models)
    yield from check_suite(source, library.folder.parent)
    yield from check_secrets(source, library)
    yield from check_answers(source)
    yield from check_offers(source)


def _of_file(finding: Finding) -> Lint:
    """A finding of the parser; its place may end with the path of a key."""
    place, _, key = finding.place.partition(" (")
    place = place if _line_of(place)[1] else f"{place}:1"
    name = place.removeprefix(f"{FOLDER}/").rpartition(":")[0]
    return Lint(
        prompt=name.removesuffix(SUFFIX) if name.endswith(SUFFIX) else "",
        rule="file",
        severity=RULES["file"].severity,
        place=place,
        problem=f"{key[:-1]}: {finding.problem}" if key else finding.problem,
        remedy=finding.remedy,
    )


def _line_of(place: str) -> tuple[str, int]:
    file, _, line = place.rpartition(":")
    return (file, int(line)) if line.isdigit() else (place, 0)
