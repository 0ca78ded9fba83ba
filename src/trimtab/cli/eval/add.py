"""`trimtab eval add`: an inference of production becomes a case."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.eval.options import SuiteName
from trimtab.cli.options import Json, ProjectFolder

if TYPE_CHECKING:
    from trimtab.config.schema import Project
    from trimtab.datasets.from_inference import RecordedInference
    from trimtab.datasets.suite import Suite
    from trimtab.prompts.prompt import Prompt

__all__ = ["add_case"]


def add_case(
    suite: SuiteName,
    from_inference: Annotated[
        str, typer.Option(help="Its id, as in the header x-request-id.", metavar="ID")
    ],
    case_id: Annotated[
        str, typer.Option("--id", help="Of the new case.", show_default="that of the inference")
    ] = "",
    tag: Annotated[
        list[str] | None, typer.Option(help="Of the new case. Any number of times.")
    ] = None,
    cluster: Annotated[
        str, typer.Option(help="Cases of one conversation or document are not independent.")
    ] = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Append a case that asks what production was asked; texts are redacted.

    What is expected is for you to write: look at the line before you commit it.
    """
    from trimtab.archive import open_reader
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file, load_project
    from trimtab.datasets.folder import CASES, EVALS
    from trimtab.datasets.from_inference import case_of_inference, read_inference
    from trimtab.datasets.load import load_suite
    from trimtab.datasets.redaction import redactor
    from trimtab.datasets.write import append_cases

    file = find_project_file(project)
    loaded = load_project(file)
    opened = load_suite(loaded.folder, suite)
    inference = read_inference(open_reader(file), from_inference, loaded.recording)
    made = case_of_inference(
        inference,
        case_id=case_id or inference.id,
        redact=redactor(loaded.recording.redact),
        prompt=_prompt_of(loaded, opened, inference),
        tags=tag or (),
        cluster=cluster,
    )
    line = append_cases(loaded.folder, suite, [made.case])
    place = f"{EVALS}/{suite}/{CASES}:{line}"
    if as_json:
        print_json({"case": made.case, "place": place, "remarks": made.remarks})
        return
    typer.echo(f"Wrote case {made.case.id} to {place}")
    for remark in made.remarks:
        typer.echo(f"remark: {remark}")
    typer.echo("Look at it for what redaction missed, and write what is `expected`.")


def _prompt_of(
    project: "Project", suite: "Suite", inference: "RecordedInference"
) -> "Prompt | None":
    """The version that the inference was rendered from; None where the suite is about no prompt."""
    from trimtab.prompts.library import load_library

    if not suite.prompt:
        return None
    library = load_library(project.folder)
    if inference.prompt != suite.prompt:  # which the case will be refused for
        return library.prompt(suite.prompt)
    return library.version(suite.prompt, inference.prompt_hash)
