"""`trimtab prompts diff`: what is different in two versions."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

if TYPE_CHECKING:
    from trimtab.prompts.diff.compare import Difference
    from trimtab.prompts.library import Library
    from trimtab.prompts.prompt import Prompt

__all__ = ["diff"]

_FORMS = "ID, ID@v12, ID@draft, ID@git:REVISION, a file, or an environment."


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help=_FORMS)],
    after: Annotated[
        str, typer.Argument(metavar="[B]", help="The same.", show_default="the file as it is")
    ] = "",
    variables: Annotated[
        list[Path] | None,
        typer.Option(
            "--vars",
            help="JSON files with variables: also the messages that they make.",
            show_default=False,
        ),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="For a pull request.")] = False,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Compare two versions: words of the text, fields, and what a model would see.

    With one prompt alone: its newest version on record, and the file.
    """
    from trimtab.cli.output import print_json
    from trimtab.cli.prompts.diff_text import print_difference
    from trimtab.cli.prompts.opened import open_prompts
    from trimtab.prompts.diff.compare import compare
    from trimtab.prompts.diff.markdown import as_markdown
    from trimtab.prompts.diff.rendered import compare_rendered

    opened = open_prompts(project)
    pairs = _pairs(opened.library, opened.project.folder, before, after)
    cases = {str(path): _read_variables(path) for path in variables or ()}
    found: list[tuple[Difference, list[object]]] = []
    for old, new in pairs:
        names = (opened.library.label(old), opened.library.label(new))
        rendered = [compare_rendered(old, new, v, case=name) for name, v in cases.items()]
        difference = compare(old, new, names=names)
        if markdown:
            typer.echo(as_markdown(difference, rendered))
        elif not as_json:
            print_difference(difference, rendered)
        found.append((difference, list(rendered)))
    if as_json:
        print_json([{"difference": one, "rendered": cases_} for one, cases_ in found])


def _pairs(
    library: "Library", folder: Path, before: str, after: str
) -> "list[tuple[Prompt, Prompt]]":
    """The versions to compare, prompt by prompt.

    Raises:
        UsageError: one of the two means nothing, or they have no prompt in common.
    """
    from trimtab.errors import UsageError
    from trimtab.prompts.references import resolve_reference
    from trimtab.releases.file import environments, load_releases

    releases = {
        name: {
            prompt: release.hash for prompt, release in load_releases(folder, name).prompts.items()
        }
        for name in environments(folder)
    }
    olds = dict(resolve_reference(library, _newest(library, before, after), releases))
    if after:
        news = dict(resolve_reference(library, after, releases))
    else:
        news = {name: library.prompts[name] for name in olds if name in library.prompts}
    if len(olds) == len(news) == 1:  # also two prompts of different names
        return [(next(iter(olds.values())), next(iter(news.values())))]
    both = sorted(olds.keys() & news.keys())
    if not both:
        raise UsageError(f"{before} and {after or 'the files'} have no prompt in common.")
    return [(olds[name], news[name]) for name in both]


def _newest(library: "Library", before: str, after: str) -> str:
    """A prompt alone stands for its newest version on record that is not the file."""
    if after or before not in library.prompts:
        return before
    now = library.prompts[before].version_hash
    older = [record for record in library.records(before) if record.hash != now]
    return f"{before}@{older[-1].name}" if older else before


def _read_variables(path: Path) -> Mapping[str, object]:
    import msgspec

    from trimtab.errors import UsageError

    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, object])
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except msgspec.MsgspecError:
        raise UsageError(f"{path} is not one JSON object of variables.") from None
