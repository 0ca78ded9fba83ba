"""`trimtab prompts adopt`, and what `trimtab check --env` says: prompts outside of prompt files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

if TYPE_CHECKING:
    from trimtab.errors import Finding
    from trimtab.prompts.hidden.found import HiddenPrompt

__all__ = ["adopt", "hidden_findings"]


def adopt(
    which: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WHICH]...",
            help="Names or places, as `trimtab check --env` lists them; none lists them.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str, typer.Option("--as", help="The id of the new prompt.", show_default="from its name")
    ] = "",
    model: Annotated[
        str, typer.Option(help="Its model: an alias.", show_default="the first of the project")
    ] = "",
    all_: Annotated[bool, typer.Option("--all", help="All that are sure.")] = False,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Move prompts out of .env files, manifests and code into files of their own.

    It writes the files and says what to change in the application; it changes no code.
    """
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file, load_project
    from trimtab.errors import UsageError
    from trimtab.prompts.hidden.adopt import replacement
    from trimtab.prompts.hidden.find import find_hidden

    opened = load_project(find_project_file(project))
    found = find_hidden(opened.folder)
    if not which and not all_:
        _list(found, as_json=as_json)
        return
    chosen = [one for one in found if _is_meant(one, which or (), all_=all_)]
    if not chosen:
        raise UsageError("Nothing of that name was found. `trimtab prompts adopt` lists all.")
    if name and len(chosen) > 1:
        raise UsageError(f"--as names one prompt, and {len(chosen)} are meant.")
    alias = model or next(iter(opened.models), "")
    if not alias:
        raise UsageError("The project has no model yet. Declare one in trimtab.toml.")
    opened.resolve(alias)
    done: list[dict[str, str]] = []
    for hidden in chosen:
        prompt_id = name or hidden.prompt_id
        file = _write(opened.folder, hidden, prompt_id, model=alias)
        done.append(
            {"prompt": prompt_id, "file": str(file), "then": replacement(hidden, prompt_id)}
        )
    if as_json:
        print_json(done)
        return
    for one in done:
        typer.echo(f"Wrote {one['file']}. Try it: trimtab prompts render {one['prompt']}")
        typer.echo(f"Then in {one['then']}\n")


def hidden_findings(folder: Path) -> "list[Finding]":
    """One for each text outside of the prompt files that looks like a prompt."""
    from trimtab.errors import Finding
    from trimtab.prompts.hidden.find import survey_hidden

    survey = survey_hidden(folder)
    found = [
        Finding(
            f"{one.place} ({one.name})",
            f"{_SURE[one.confidence]} a prompt: {one.why}",
            f"Run: trimtab prompts adopt {one.name}",
        )
        for one in survey.prompts
    ]
    return [*found, *survey.unread]


_SURE = {"sure": "is", "likely": "looks like"}


def _list(found: "list[HiddenPrompt]", *, as_json: bool) -> None:
    from trimtab.cli.output import print_json, print_table, table

    if as_json:
        print_json(
            [
                {
                    "name": one.name,
                    "place": one.place,
                    "kind": one.kind,
                    "confidence": one.confidence,
                    "why": one.why,
                    "prompt": one.prompt_id,
                }
                for one in found
            ]
        )
        return
    if not found:
        typer.echo("No prompts hide outside of prompt files.")
        return
    shown = table("Hidden prompts", "name", "at", "sure", "would be", "because")
    for one in found:
        shown.add_row(one.name, one.place, one.confidence, one.prompt_id, one.why)
    print_table(shown)
    typer.echo("Adopt one: trimtab prompts adopt NAME --as support/triage")


def _is_meant(hidden: "HiddenPrompt", which: "list[str] | tuple[()]", *, all_: bool) -> bool:
    if all_ and hidden.confidence == "sure":
        return True
    return hidden.name in which or hidden.place in which or hidden.place.split(":")[0] in which


def _write(folder: Path, hidden: "HiddenPrompt", prompt_id: str, *, model: str) -> Path:
    """The new file of a prompt, which is right.

    Raises:
        UsageError: there is one of that name, or that is no name.
        ConfigError: what was found cannot be a prompt.
    """
    from trimtab.errors import UsageError
    from trimtab.prompts.hidden.adopt import prompt_file
    from trimtab.prompts.library import FOLDER
    from trimtab.prompts.parse import file_of, parse_prompt
    from trimtab.prompts.versions import is_id

    if not is_id(prompt_id):
        raise UsageError(f"{prompt_id[:80]!r} is no id. Write it as support/triage.")
    text = prompt_file(hidden, model=model)
    parse_prompt(prompt_id, {file_of(prompt_id): text}.get)
    file = folder / FOLDER / file_of(prompt_id)
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise UsageError(f"{file} is there already. Choose another name with --as.") from None
    return file
