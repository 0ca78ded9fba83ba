"""`/console/prompt`: the versions of one prompt, how they did, and what they say."""

from collections.abc import Mapping, Sequence

import msgspec

from trimtab.console.prompt_places import Live, lives_of, read_places
from trimtab.console.query import link, read_span
from trimtab.console.render import Page
from trimtab.console.site import Answer, Asked, Serving, Site
from trimtab.errors import ConfigError, UnknownPrompt
from trimtab.insights.prompt_versions import VersionFigures, version_report
from trimtab.prompts.front_matter import split_file
from trimtab.prompts.library import FOLDER, Library, load_library, prompt_ids
from trimtab.prompts.parse import file_of
from trimtab.prompts.prompt import Prompt
from trimtab.prompts.version import short_hash
from trimtab.prompts.versions import Record, load_record

__all__ = ["Text", "VersionRow", "prompt_page"]

DRAFT = "draft"


class VersionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One version.

    Attributes:
        name: `v12`, or `v13-draft`.
        asked: what an address calls it.
        hash: of what changes behaviour.
        day: on which it was recorded; "" for one that is not on record.
        before: the version on record before, as an address calls it; "" for the first.
        is_file: the file is this version.
        lives: where it is live.
        figures: how it did, one for each arm.
    """

    name: str
    asked: str
    hash: str
    day: str = ""
    before: str = ""
    is_file: bool = False
    lives: Sequence[Live] = ()
    figures: Sequence[VersionFigures] = ()


class Text(msgspec.Struct, frozen=True):
    """A file of a version. `front` is the front matter, "" where there is none."""

    name: str
    front: str
    body: str


class _Known(msgspec.Struct, frozen=True):
    """What is known of a prompt. `trouble` says what is wrong with its file or its records."""

    now: Prompt | None
    records: list[Record]
    trouble: list[str]


def prompt_page(site: Site, project: Serving) -> Answer:
    """One prompt; `id`, `version` and a range in the address."""

    def answer(asked: Asked) -> Page:
        opened = project()
        library = load_library(opened.folder)
        prompt_id = asked.query.get("id", "")
        span = read_span(asked.query, asked.now_ns, "30d")
        known = _known(library, prompt_id)
        report = sorted(
            version_report(
                site.reader, since_ns=span.since_ns, until_ns=span.until_ns, prompt=prompt_id
            ),
            key=lambda one: -one.inferences,
        )
        lives = lives_of(read_places(opened), prompt_id)
        rows = _rows(known, lives, report)
        chosen = _chosen(rows, asked.query.get("version", ""), prompt_id)
        texts, trouble = _texts(library, known, chosen, prompt_id=prompt_id)
        hashes = {row.hash for row in rows}
        return Page(
            "prompt.html",
            {
                "id": prompt_id,
                "prompt": known.now,
                "trouble": [*known.trouble, *trouble],
                "span": span,
                "rows": rows,
                "lives": lives,
                "others": [one for one in report if one.hash not in hashes],
                "chosen": chosen,
                "texts": texts,
                "list": link("/console/inferences", span.parameters, prompt=prompt_id),
                "names": [row.asked for row in rows],
                "heard": ["Thumbs up"] if any(one.thumbs for one in report) else [],
            },
        )

    return answer


def _known(library: Library, prompt_id: str) -> _Known:
    """What there is of a prompt.

    Raises:
        UnknownPrompt: nothing.
    """
    file = f"{FOLDER}/{file_of(prompt_id)}"
    now = library.prompts.get(prompt_id)
    trouble = [str(found) for found in library.findings if found.place.startswith(file)]
    if now is None and not trouble and prompt_id in prompt_ids(library.folder):
        trouble = [str(found) for found in library.findings]  # of a partial that it includes
    try:
        records = library.records(prompt_id)
    except ConfigError as error:
        return _Known(now, [], [*trouble, *map(str, error.findings)])
    if now is None and not records and not trouble:
        library.prompt(prompt_id)  # which says what there is
    return _Known(now, records, trouble)


def _rows(
    known: _Known, lives: Sequence[Live], report: Sequence[VersionFigures]
) -> list[VersionRow]:
    """The newest first; the file before them where it is none of those on record."""
    now_hash = known.now.version_hash if known.now is not None else ""
    rows: list[VersionRow] = []
    before = ""
    for record in known.records:
        rows.append(
            VersionRow(
                name=record.name,
                asked=record.name,
                hash=record.hash,
                day=str(record.recorded),
                before=before,
                is_file=record.hash == now_hash,
            )
        )
        before = record.name
    if now_hash and now_hash not in {record.hash for record in known.records}:
        number = (known.records[-1].number if known.records else 0) + 1
        name = f"v{number}-{DRAFT}"
        rows.append(VersionRow(name=name, asked=DRAFT, hash=now_hash, before=before, is_file=True))
    return [
        msgspec.structs.replace(
            row,
            lives=[live for live in lives if live.hash == row.hash],
            figures=[one for one in report if one.hash == row.hash],
        )
        for row in reversed(rows)
    ]


def _chosen(rows: Sequence[VersionRow], version: str, prompt_id: str) -> VersionRow | None:
    """The version that is shown: the newest unless the address names one.

    Raises:
        UnknownPrompt: there is none of that name.
    """
    if not version:
        return rows[0] if rows else None
    for row in rows:
        if version in {row.name, row.asked} or (version == DRAFT and row.is_file):
            return row
        if len(version) >= len(short_hash(row.hash)) and row.hash.startswith(version):
            return row
    known = ", ".join(row.name for row in rows[:5]) or "none"
    raise UnknownPrompt(
        f"Prompt {prompt_id[:80]!r} has no version {version[:80]!r} on record. It has {known}."
    )


def _texts(
    library: Library, known: _Known, chosen: VersionRow | None, *, prompt_id: str
) -> tuple[list[Text], list[str]]:
    """The files of a version, the prompt's own first; and what is wrong with them."""
    if chosen is None:
        return [], []
    for record in known.records:
        if record.name == chosen.asked:
            return _of(record.files, prompt_id), _damage(record)
    assert known.now is not None  # the row that is not on record is the file
    behaviour = known.now.behaviour
    tools = [f"_tools/{tool}.json" for tool in behaviour.tools]
    names = [file_of(prompt_id), *behaviour.partials, *tools]
    return _of({name: library.read(name) or "" for name in names}, prompt_id), []


def _of(files: Mapping[str, str], prompt_id: str) -> list[Text]:
    own = file_of(prompt_id)
    texts: list[Text] = []
    for name in sorted(files, key=lambda name: (name != own, name)):
        try:
            split = split_file(files[name], name) if name == own else None
        except ConfigError:  # then it is shown as it is
            split = None
        if split is None:
            texts.append(Text(name, "", files[name].strip("\n")))
        else:
            texts.append(Text(name, split.front.strip("\n"), split.body.strip("\n")))
    return texts


def _damage(record: Record) -> list[str]:
    try:
        load_record(record)
    except ConfigError as error:
        return [str(finding) for finding in error.findings]
    return []
