"""`trimtab prompts import` and `trimtab prompts export`: other tools' formats."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

if TYPE_CHECKING:
    from trimtab.errors import Finding
    from trimtab.prompts.formats.border import Format, Imported

__all__ = ["export_prompt", "import_prompts"]

_MOST_BYTES = 10_000_000  # of one file
_ENDINGS = {
    ".prompt": "dotprompt",
    ".prompty": "prompty",
    ".yaml": "promptfoo",
    ".yml": "promptfoo",
}

DryRun = Annotated[bool, typer.Option("--dry-run", help="Write nothing; show what would be.")]
Force = Annotated[bool, typer.Option("--force", help="Write over files that are there.")]


def import_prompts(
    files: Annotated[list[Path], typer.Argument(help="Files of the other tool.")],
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="dotprompt, langfuse, openai, promptfoo or prompty.",
            show_default="by the file's ending",
        ),
    ] = None,
    out: Annotated[
        str, typer.Option(help="A folder below prompts/ for them.", show_default="prompts/ itself")
    ] = "",
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="THEIRS=OURS: an alias for a model of theirs; =OURS for prompts that name none."
        ),
    ] = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
    dry_run: DryRun = False,
    force: Force = False,
) -> None:
    """Make prompts of ours from the files of another tool."""
    from trimtab.config.load import find_project_file
    from trimtab.prompts.library import FOLDER

    folder = find_project_file(project).parent / FOLDER
    models = _models(model or ())
    results = [_imported(file, format_, models) for file in files]
    written = _placed(results, out.strip("/"))
    _write(folder, written, dry_run=dry_run, force=force)
    remarks = [
        remark
        for one in results
        for remark in (*one.remarks, *(r for prompt in one.prompts for r in prompt.remarks))
    ]
    names = [f"{FOLDER}/{name}" for name in written]
    _tell(names, remarks, as_json=as_json, dry_run=dry_run)


def export_prompt(
    prompt: Annotated[str, typer.Argument(help="Its name, such as support/triage.")],
    format_: Annotated[
        str, typer.Option("--format", help="dotprompt, langfuse, openai, promptfoo or prompty.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="A file.", show_default="standard output")
    ] = None,
    version: Annotated[
        str, typer.Option(help="A version, such as v12; draft is the file as it is.")
    ] = "draft",
    project: ProjectFolder = Path(),
    as_json: Json = False,
    dry_run: DryRun = False,
    force: Force = False,
) -> None:
    """Write a prompt in the format of another tool."""
    from trimtab.config.load import find_project_file
    from trimtab.prompts.library import load_library

    format_name = _format_name(format_)
    library = load_library(find_project_file(project).parent)
    exported = _formats()[format_name].export(library.version(prompt, version))
    if out is None:
        if as_json:
            from trimtab.cli.output import print_json

            files = dict(exported.files)
            remarks = [remark._asdict() for remark in exported.remarks]
            print_json({"text": exported.text, "files": files, "remarks": remarks})
            return
        sys.stdout.write(exported.text)
        for name in exported.files:
            typer.echo(f"remark: {name} belongs beside it. Use --out to write both", err=True)
        for remark in exported.remarks:
            typer.echo(f"remark: {remark}", err=True)
        return
    written = {out.name: exported.text, **exported.files}
    _write(out.parent, written, dry_run=dry_run, force=force)
    names = [str(out.parent / name) for name in written]
    _tell(names, exported.remarks, as_json=as_json, dry_run=dry_run)


# ---------------------------------------------------------------- reading


def _formats() -> Mapping[str, "Format"]:
    from trimtab.prompts.formats.table import FORMATS

    return FORMATS


def _format_name(name: str) -> str:
    from trimtab.errors import UsageError

    if name not in _formats():
        raise UsageError(f"There is no format {name[:40]!r}. Use one of {', '.join(_formats())}.")
    return name


def _models(written: Sequence[str]) -> dict[str, str]:
    from trimtab.errors import UsageError

    models: dict[str, str] = {}
    for one in written:
        theirs, sign, ours = one.rpartition("=")
        if not sign or not ours:
            raise UsageError(f"--model {one[:60]!r} is no mapping. Write --model THEIRS=OURS.")
        models[theirs] = ours
    return models


def _imported(file: Path, format_: str | None, models: Mapping[str, str]) -> "Imported":
    from trimtab.errors import UsageError
    from trimtab.prompts.formats.border import Origin

    name = format_ or _ENDINGS.get(file.suffix)
    if name is None:
        raise UsageError(
            f"{file} may be of several formats. Name one: --format {' or '.join(_formats())}."
        )
    text = _text(file)
    if text is None:
        raise UsageError(f"{file} cannot be read as a file of UTF-8 below 10 MB. Check its name.")
    origin = Origin(file=file.name, models=models, read=_beside(file.parent))
    return _formats()[_format_name(name)].import_(text, origin)


def _beside(folder: Path) -> Callable[[str], str | None]:
    root = folder.resolve()

    def read(name: str) -> str | None:
        try:
            path = (root / name).resolve()
            return _text(path) if path.is_relative_to(root) else None
        except (OSError, ValueError):  # names that no file can have
            return None

    return read


def _text(path: Path) -> str | None:
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return None
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


# ---------------------------------------------------------------- writing


def _placed(results: Sequence["Imported"], out: str) -> dict[str, str]:
    """All files below `prompts/`, by name."""
    from trimtab.errors import UsageError
    from trimtab.prompts.formats.draft import safe_id
    from trimtab.prompts.parse import file_of

    placed: dict[str, str] = {}
    for prompt in (prompt for one in results for prompt in one.prompts):
        prompt_id = f"{safe_id(out)}/{prompt.id}" if out else prompt.id
        for name, text in {file_of(prompt_id): prompt.text, **prompt.files}.items():
            if placed.setdefault(name, text) != text:
                problem = f"Two of these would be prompts/{name}"
                raise UsageError(f"{problem}. Import them one by one, with another --out.")
    return placed


def _write(folder: Path, files: Mapping[str, str], *, dry_run: bool, force: bool) -> None:
    """Write all, or nothing if one is there with another text."""
    from trimtab.errors import UsageError

    there = [name for name in files if (folder / name).exists()]
    other = [name for name in there if _text(folder / name) != files[name]]
    if other and not force:
        raise UsageError(
            f"{folder / other[0]} is there already"
            f"{f', and {len(other) - 1} more' if len(other) > 1 else ''}. "
            "Choose another --out, or write over it with --force."
        )
    if dry_run:
        return
    for name, text in files.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise UsageError(
                f"Cannot write {path}: {error.strerror}. Choose another place."
            ) from error


def _tell(
    names: Sequence[str], remarks: Sequence["Finding"], *, as_json: bool, dry_run: bool
) -> None:
    if as_json:
        from trimtab.cli.output import print_json

        told = [remark._asdict() for remark in remarks]
        print_json({"written": not dry_run, "files": names, "remarks": told})
        return
    for name in names:
        typer.echo(f"{'Would write' if dry_run else 'Wrote'} {name}")
    for remark in remarks:
        typer.echo(f"remark: {remark}")
