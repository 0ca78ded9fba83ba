"""`trimtab release`: which version of a prompt is served where; promote, try, go back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

if TYPE_CHECKING:
    from trimtab.config.schema import Project
    from trimtab.prompts.library import Library
    from trimtab.releases.edit import Author, Done

__all__ = ["release"]

release = typer.Typer(
    help="Which version of a prompt is served in which environment.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="The prompt, such as support/triage.", metavar="PROMPT")]
Environment = Annotated[
    str,
    typer.Option(
        "--env",
        "-e",
        help="The environment: the name of a file in releases/.",
        show_default="the project's own, else the only one",
    ),
]
Version = Annotated[
    str,
    typer.Option("--version", help="v12, draft, or the first digits of a hash.", metavar="V"),
]
Pin = Annotated[
    str,
    typer.Option(
        "--model",
        help="The pin, as in openai:gpt-5.2-2026-08-01.",
        show_default="what the prompt's alias stands for",
    ),
]
Reason = Annotated[str, typer.Option(help="Why; kept in the log.")]
By = Annotated[str, typer.Option(help="Who does this.", show_default="as git knows you")]


@release.command()
def status(
    environment: Environment = "", project: ProjectFolder = Path(), as_json: Json = False
) -> None:
    """What each environment serves, what is tried there, and how the files differ from it."""
    from trimtab.cli.release_table import print_status

    opened, library = _open(project)
    print_status(opened, library, environment, as_json=as_json)


@release.command()
def promote(
    prompt: Name,
    environment: Environment = "",
    version: Version = "draft",
    model: Pin = "",
    force: Annotated[bool, typer.Option("--force", help="Without evidence; needs --reason.")] = (
        False
    ),
    reason: Reason = "",
    by: By = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Serve a version to everybody. A gate must have passed exactly this version."""
    from trimtab.releases import edit

    opened, library = _open(project)
    chosen = library.version(prompt, version)
    done = edit.promote(
        library,
        _environment(opened, environment),
        chosen,
        model=_pin(opened, chosen.behaviour.model, model),
        author=_author(by, reason),
        force=force,
    )
    _say(done, as_json=as_json)


@release.command()
def canary(
    prompt: Name,
    environment: Environment = "",
    version: Version = "draft",
    share: Annotated[
        float, typer.Option(min=0, max=1, help="Of the users; the same ones each time.")
    ] = 0.05,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Call it beside, and show its answers to nobody.")
    ] = False,
    most_usd: Annotated[float, typer.Option(min=0, help="What a shadow may cost in all.")] = 0.0,
    pause: Annotated[bool, typer.Option("--pause", help="Nobody gets it for now.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after a pause; needs --reason.")
    ] = False,
    end: Annotated[bool, typer.Option("--end", help="Try it no more.")] = False,
    model: Pin = "",
    reason: Reason = "",
    by: By = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Try a version on a share of the users; pause it, go on, or end it."""
    from trimtab.errors import UsageError
    from trimtab.releases import edit

    opened, library = _open(project)
    where = _environment(opened, environment)
    author = _author(by, reason)
    changes = [
        change
        for wanted, change in ((pause, edit.pause), (resume, edit.resume), (end, edit.withdraw))
        if wanted
    ]
    if len(changes) > 1:
        raise UsageError("Use one of --pause, --resume and --end at a time.")
    if changes:
        _say(changes[0](opened.folder, where, prompt, author=author), as_json=as_json)
        return
    if shadow and not most_usd:
        raise UsageError("A shadow costs money and shows nothing: say how much, with --most-usd.")
    if share <= 0:
        raise UsageError("A share of 0 tries nothing. Use --pause or --end, or a larger share.")
    chosen = library.version(prompt, version)
    done = edit.try_out(
        library,
        where,
        chosen,
        model=_pin(opened, chosen.behaviour.model, model),
        author=author,
        trying=edit.Trying(share, shadow=shadow, most_usd=most_usd),
    )
    _say(done, as_json=as_json)


@release.command()
def rollback(
    prompt: Name,
    environment: Environment = "",
    to: Annotated[
        str, typer.Option(help="The version to go back to.", show_default="the one before")
    ] = "",
    reason: Reason = "",
    by: By = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Serve the version before again. A running gateway takes it up within a second."""
    from trimtab.releases import edit

    opened, library = _open(project)
    where = _environment(opened, environment)
    done = edit.rollback(library, where, prompt, author=_author(by, reason), to=to)
    _say(done, as_json=as_json)


@release.command()
def log(
    prompt: Annotated[
        str, typer.Argument(help="Only of this prompt.", metavar="[PROMPT]", show_default=False)
    ] = "",
    environment: Environment = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Who did what, when and why; newest first."""
    from trimtab.cli.release_table import print_log
    from trimtab.releases.file import load_releases

    opened, _ = _open(project)
    where = _environment(opened, environment)
    entries = load_releases(opened.folder, where).log
    chosen = [entry for entry in reversed(entries) if prompt in {"", entry.prompt}]
    print_log(where, chosen, as_json=as_json)


@release.command()
def owners(
    write: Annotated[
        bool, typer.Option("--write", help="Put them into the repository's CODEOWNERS.")
    ] = False,
    project: ProjectFolder = Path(),
) -> None:
    """The lines of CODEOWNERS that the owners of the prompts make."""
    from trimtab.errors import ConfigError
    from trimtab.prompts.git_program import prefix_of
    from trimtab.releases.owners import owner_lines, owners_file, with_owners

    opened, library = _open(project)
    if library.findings:  # whose owners are not known
        raise ConfigError(list(library.findings))
    prefix = prefix_of(opened.folder)
    if not write:
        for line in owner_lines(library, prefix):
            typer.echo(line)
        return
    file = owners_file(opened.folder, prefix)
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    file.parent.mkdir(exist_ok=True)
    file.write_text(with_owners(text, library, prefix), encoding="utf-8")
    typer.echo(f"Wrote {file}. Commit it.")


def _open(project: Path) -> "tuple[Project, Library]":
    from trimtab.config.load import find_project_file, load_project
    from trimtab.prompts.library import load_library

    opened = load_project(find_project_file(project))
    return opened, load_library(opened.folder)


def _environment(project: "Project", named: str) -> str:
    """The environment that is meant.

    Raises:
        UsageError: there are several, or none yet.
    """
    from trimtab.errors import UsageError
    from trimtab.releases.file import environments, release_path

    if named:
        release_path(project.folder, named)  # which says so if that is no name
        return named
    known = environments(project.folder)
    if project.prompts.environment:
        return project.prompts.environment
    if len(known) == 1:
        return known[0]
    there = f"There are {', '.join(known)}." if known else "There is none yet."
    raise UsageError(f"Which environment? {there} Name one, as in --env production.")


def _pin(project: "Project", alias: str, named: str) -> str:
    """The pin that is meant: the one that is named, else what the alias stands for.

    Raises:
        UsageError: the gateway would refuse every request, since the alias does not offer it.
        UnknownModel: there is no such alias.
    """
    from trimtab.errors import UsageError

    target = project.resolve(alias)
    offered = [str(rung.ref) for rung in target.rungs[: target.equals]]
    if named and named not in offered:
        raise UsageError(
            f"The model {alias!r} does not offer {named[:80]!r}: it is {' or '.join(offered)}. Add "
            "the pin to `also` in trimtab.toml first."
        )
    return named or offered[0]


def _author(by: str, reason: str) -> "Author":
    from trimtab.cli.who import now, who_am_i
    from trimtab.releases.edit import Author

    return Author(by or who_am_i(), now(), reason)


def _say(done: "Done", *, as_json: bool) -> None:
    from trimtab.cli.release_table import print_done

    print_done(done, as_json=as_json)
