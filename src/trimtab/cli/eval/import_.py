"""`trimtab eval import`: the tests of another tool become a suite."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

if TYPE_CHECKING:
    from collections.abc import Callable

    from trimtab.datasets.formats.border import ImportedSuite

__all__ = ["import_suite"]


class SuiteFormat(StrEnum):
    """Whose file it is."""

    promptfoo = "promptfoo"
    openai_evals = "openai-evals"


def import_suite(
    file: Annotated[
        Path,
        typer.Argument(
            help="promptfooconfig.yaml; or samples .jsonl or a registry .yaml of OpenAI's evals."
        ),
    ],
    as_: Annotated[str, typer.Option("--as", help="Name of the new suite.", metavar="NAME")],
    format_: Annotated[SuiteFormat, typer.Option("--format", help="Whose file it is.")],
    prompt: Annotated[
        str, typer.Option(help="Our prompt that gets the variables.", show_default="none")
    ] = "",
    eval_class: Annotated[
        str, typer.Option("--class", help="Of samples of OpenAI's evals: how answers are compared.")
    ] = "Match",
    eval_name: Annotated[
        str, typer.Option("--eval", help="Which eval of a registry file that has several.")
    ] = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Write a suite from another tool's tests; says what could not be carried over."""
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file, load_project
    from trimtab.datasets.formats.border import Origin
    from trimtab.datasets.formats.openai_evals import import_registry, import_samples
    from trimtab.datasets.formats.promptfoo import import_promptfoo
    from trimtab.datasets.write import write_new_suite
    from trimtab.prompts.library import load_library

    folder = load_project(find_project_file(project)).folder
    if prompt:
        load_library(folder).prompt(prompt)  # which says what there is
    text = _read(file)
    origin = Origin(file=file.name, prompt=prompt, read=_beside(file))
    if format_ is SuiteFormat.promptfoo:
        found = import_promptfoo(text, origin)
    elif file.suffix in {".yaml", ".yml"}:
        found = import_registry(text, origin, name=eval_name)
    else:
        found = import_samples(text, origin, eval_class=eval_class)
    files = write_new_suite(folder, as_, suite_text=_suite_text(found), cases=found.cases)
    names = [one.relative_to(folder).as_posix() for one in files]
    if as_json:
        remarks = [remark._asdict() for remark in found.remarks]
        print_json({"suite": as_, "files": names, "cases": len(found.cases), "remarks": remarks})
        return
    for name in names:
        typer.echo(f"Wrote {name}")
    for remark in found.remarks:
        typer.echo(f"remark: {remark}")
    typer.echo(f"{len(found.cases)} cases. Next: trimtab eval check {as_}")


def _suite_text(found: "ImportedSuite") -> str:
    from trimtab.datasets.toml_text import suite_text

    return suite_text(
        description=found.description,
        prompt=found.prompt,
        repeats=found.repeats,
        concurrency=found.concurrency,
        evaluators=found.evaluators,
    )


def _read(file: Path) -> str:
    from trimtab.errors import UsageError

    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{file} is no text in UTF-8. Save it as UTF-8.") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}. Name another file.") from error


def _beside(file: Path) -> "Callable[[str], str | None]":
    """Gives the texts of files in the folder of a file, and below."""
    root = file.absolute().parent.resolve()

    def read(name: str) -> str | None:
        path = (root / name).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            return None
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    return read
