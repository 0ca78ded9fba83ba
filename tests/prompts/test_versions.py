"""Versions by content, and versions on record."""

import json
import multiprocessing
from datetime import date
from pathlib import Path

import msgspec
import pytest
from typing_extensions import override

from prompts.files import TRIAGE, file, library, parsed
from trimtab.errors import ConfigError, UnknownPrompt, UsageError
from trimtab.prompts.library import Library
from trimtab.prompts.parse import FileReader
from trimtab.prompts.recording import record_version
from trimtab.prompts.versions import Record, load_record, read_records, record_text

FULL = """\
---
model: fast
config: {temperature: 1, max_tokens: 600}
input:
  schema: {a: string, b?: integer}
  default: {b: 1}
  untrusted: [a]
output: {schema: {x: string}}
tools: [look]
suite: s
owners: [me]
description: words
---
<<system>>
{% include "_partials/tone.md" %}
<<user>>
{{ a }}{{ b }}
"""
FILES = {"_partials/tone.md": "Be kind.\n", "_tools/look.json": '{"name": "look"}'}
HASH = parsed(FULL, FILES).version_hash
TODAY = date(2025, 10, 9)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("model: fast\n", "model:    fast   # the quick one\n"),
        (
            "config: {temperature: 1, max_tokens: 600}",
            "config: {max_tokens: 600, temperature: 1.0}",
        ),
        (
            "config: {temperature: 1, max_tokens: 600}",
            "config:\n  temperature: 1\n  max_tokens: 600",
        ),
        ("  default: {b: 1}\n  untrusted: [a]\n", "  untrusted: [a]\n  default: {b: 1}\n"),
        ("schema: {a: string, b?: integer}", "schema:\n    a: string\n    b?: integer\n"),
        ("suite: s\nowners: [me]\ndescription: words\n", ""),
        ("suite: s", "suite: t"),
        ("---\n<<system>>", "---\n\n\n<<system>>"),
        ("\n", "\r\n"),
    ],
)
def test_what_changes_no_version(old: str, new: str) -> None:
    assert old in FULL
    assert parsed(FULL.replace(old, new), FILES).version_hash == HASH


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("model: fast", "model: slow"),
        ("temperature: 1", "temperature: 0.9"),
        ("max_tokens: 600", "max_tokens: 600, seed: 1"),
        ("b?: integer", "b: integer"),
        ("b?: integer", "b?: number"),
        ("default: {b: 1}", "default: {b: 2}"),
        ("untrusted: [a]", "untrusted: [a, b]"),
        ("schema: {x: string}", "schema: {x: integer}"),
        ("output: {", "output: {repair: true, "),
        ("tools: [look]\n", ""),
        ("{{ a }}{{ b }}", "{{ a }} {{ b }}"),
        ("<<user>>", "<<assistant>>"),
    ],
)
def test_what_changes_the_version(old: str, new: str) -> None:
    assert old in FULL
    assert parsed(FULL.replace(old, new), FILES).version_hash != HASH


def test_a_partial_and_a_tool_belong_to_the_version() -> None:
    assert parsed(FULL, {**FILES, "_partials/tone.md": "Be kind."}).version_hash == HASH
    assert parsed(FULL, {**FILES, "_partials/tone.md": "Be rude.\n"}).version_hash != HASH
    assert parsed(FULL, {**FILES, "_tools/look.json": '{ "name":"look" }'}).version_hash == HASH
    assert parsed(FULL, {**FILES, "_tools/look.json": '{"name": "see"}'}).version_hash != HASH


def test_the_hash_is_the_same_on_every_machine() -> None:
    """Written down: if it changes, every record of every project is damaged."""
    assert parsed("---\nmodel: m\n---\nhi").version_hash == (
        "b03f603d416287f5f48e20a0773ae1417fed279615e51e7c2870a3c0f6cc146b"
    )


# ------------------------------------------------------------------ on record


def test_the_life_of_a_record(tmp_path: Path) -> None:
    made = library(tmp_path, {"p.prompt.md": FULL, **FILES})
    assert made.label(made.prompt("p")) == "v1-draft"
    first = record_version(made, made.prompt("p"), today=TODAY)
    assert (first.new, first.record.name) == (True, "v1")
    assert first.file == tmp_path / "prompts" / "_versions" / "p" / "v1.json"
    assert not record_version(made, made.prompt("p"), today=TODAY).new
    changed = library(tmp_path, {"_partials/tone.md": "Be rude."})
    assert changed.label(changed.prompt("p")) == "v2-draft"
    assert record_version(changed, changed.prompt("p"), today=TODAY).record.name == "v2"
    old = changed.version("p", "v1")
    assert old.version_hash == HASH
    assert old.render({"a": "x"}).messages[0]["content"] == "Be kind."
    assert changed.version("p", HASH[:8]).version_hash == HASH
    back = library(tmp_path, {"_partials/tone.md": "Be kind."})
    assert back.label(back.prompt("p")) == "v1"
    assert [path.name for path in sorted(first.file.parent.iterdir())] == ["v1.json", "v2.json"]


def test_the_day_of_a_record(tmp_path: Path) -> None:
    made = library(tmp_path, {"p.prompt.md": TRIAGE})
    recorded = record_version(made, made.prompt("p"), today=TODAY).record.recorded
    assert recorded == date(2025, 10, 9)


def test_a_record_that_was_changed_is_found_out(tmp_path: Path) -> None:
    made = library(tmp_path, {"p.prompt.md": TRIAGE})
    file_ = record_version(made, made.prompt("p"), today=TODAY).file
    file_.write_text(file_.read_text().replace("Sort the ticket", "Lose the ticket"))
    (record,) = made.records("p")
    with pytest.raises(ConfigError, match="somebody changed them"):
        load_record(record)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"prompt": "p"}',
        "\xff",
        json.dumps({"prompt": "q", "number": 1, "hash": "", "recorded": "2026-10-01", "files": {}}),
        json.dumps({"prompt": "p", "number": 2, "hash": "", "recorded": "2026-10-01", "files": {}}),
    ],
)
def test_a_record_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "_versions" / "p"
    folder.mkdir(parents=True)
    (folder / "v1.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        read_records(tmp_path, "p")
    assert str(folder / "v1.json") in caught.value.findings[0].place


def test_other_files_beside_records_are_none_of_them(tmp_path: Path) -> None:
    folder = tmp_path / "_versions" / "p"
    folder.mkdir(parents=True)
    for name in ("v0.json", "v01.json", "v1.json.tmp", "v1", "notes.md", "v-1.json"):
        (folder / name).write_text("")
    assert read_records(tmp_path, "p") == []


@pytest.mark.parametrize("prompt_id", ["../x", "/etc", "", ".", "a/../b", "a//b", "a\n"])
def test_names_that_lead_elsewhere_have_no_records(tmp_path: Path, prompt_id: str) -> None:
    assert read_records(tmp_path / "prompts", prompt_id) == []


@pytest.mark.parametrize("prompt_id", ["a" * 300, "/".join("a" * 3_000)])
def test_names_too_long_for_a_file_have_no_records(tmp_path: Path, prompt_id: str) -> None:
    (tmp_path / "_versions" / "a").mkdir(parents=True)
    assert read_records(tmp_path, prompt_id) == []
    with pytest.raises(UnknownPrompt):
        Library(tmp_path, {}, ()).version(prompt_id, "v1")


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    made = library(tmp_path, {"p.prompt.md": TRIAGE})
    stale = record_text(made.prompt("p"), made.read, number=1, today=date(2026, 10, 1))
    assert msgspec.json.decode(stale, type=Record).number == 1
    file_ = tmp_path / "prompts" / "_versions" / "p" / "v1.json"
    file_.parent.mkdir(parents=True)
    file_.symlink_to(tmp_path / "nowhere")  # what `read_records` cannot read
    with pytest.raises((ConfigError, UsageError)):
        record_version(made, made.prompt("p"), today=TODAY)
    assert file_.is_symlink()
    assert not (tmp_path / "nowhere").exists()


def test_files_that_change_meanwhile_are_not_recorded(tmp_path: Path) -> None:
    made = library(tmp_path, {"p.prompt.md": TRIAGE})
    prompt = made.prompt("p")
    library(tmp_path, {"p.prompt.md": file("something else")})
    with pytest.raises(UsageError, match="changed meanwhile"):
        record_version(made, prompt, today=TODAY)
    assert made.records("p") == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    made = library(tmp_path, {"p.prompt.md": TRIAGE, "_versions": "a file"})
    with pytest.raises(UsageError, match=r"not a folder|cannot be written"):
        record_version(made, made.prompt("p"), today=TODAY)
    assert (made.folder / "_versions").read_text() == "a file"


def test_records_stay_inside_the_project(tmp_path: Path) -> None:
    made = library(tmp_path / "project", {"p.prompt.md": TRIAGE})
    (tmp_path / "elsewhere").mkdir()
    (made.folder / "_versions").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="leads out"):
        record_version(made, made.prompt("p"), today=TODAY)
    assert not list((tmp_path / "elsewhere").iterdir())


class Fixed(Library):
    """One prompt whose file is not on the disk."""

    def __init__(self, folder: Path, text: str) -> None:
        super().__init__(folder, {"p": parsed(text)}, ())
        self._text = text

    @property
    @override
    def read(self) -> FileReader:
        return {"p.prompt.md": self._text}.get


def record_changes(folder: str, name: str, times: int) -> None:
    """Record so many versions of a prompt, each with another text."""
    for number in range(times):
        made = Fixed(Path(folder), file(f"{name} {number}"))
        record_version(made, made.prompt("p"), today=TODAY)


def test_two_who_record_at_once_get_two_numbers(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    both = [
        context.Process(target=record_changes, args=(str(tmp_path / "prompts"), name, 5))
        for name in "ab"
    ]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
        assert process.exitcode == 0
    records = read_records(tmp_path / "prompts", "p")
    assert [record.number for record in records] == list(range(1, 11))
    assert len({load_record(record).version_hash for record in records}) == 10
