"""The pages about prompts: what they say, and that texts of prompts are only text."""

import re
from collections.abc import Generator, Sequence
from html import unescape
from pathlib import Path

import pytest

from console.prompts_stage import (
    ODD,
    SCRIPT,
    TRIAGE,
    ask,
    author,
    lay_out,
    project,
    release,
    triage,
    write,
)
from harness import Gateway, project_text, running_gateway, trimtab, wait_until
from trimtab.console.prompt_diff import marked
from trimtab.console.query import link
from trimtab.insights.prompt_versions import VersionFigures, version_report
from trimtab.prompts.diff.words import Span
from trimtab.stats.sequential import wilson
from trimtab.testing import running_fault_provider

ODD_MARKUP = re.compile(
    r"<script(?![^>]*\bsrc=)|<style|<[a-z][^>]*\s(?:on\w+|style)=|<img|<[bi][ >]"
)
FOREVER_NS = 1 << 62


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    folder = tmp_path_factory.mktemp("released")
    lay_out(folder)
    with (
        running_fault_provider(SCRIPT) as provider,
        running_gateway(folder, project(provider.base_url)) as gateway,
    ):
        versions = [ask(gateway, f"user-{number}") for number in range(40)]
        assert set(versions) == {"v2", "v3"}
        wait_until(lambda: len(figures(gateway)) == 2)
        yield gateway
        assert not [line for line in gateway.output if "Traceback" in line or "defect" in line]


def figures(gateway: Gateway) -> Sequence[VersionFigures]:
    """Of both versions that were served; nothing while some of the inferences are missing."""
    found = version_report(gateway.reader(), since_ns=0, until_ns=FOREVER_NS, prompt=TRIAGE)
    return found if sum(one.inferences for one in found) == 40 else []


def raw(gateway: Gateway, path: str, status: int = 200) -> str:
    """The page; nothing of a prompt has become markup."""
    reply = gateway.request(path)
    assert reply.status == status, (path, reply.body[:2_000])
    html = reply.body.decode()
    assert not ODD_MARKUP.search(html), ODD_MARKUP.search(html)
    return html


def shown(gateway: Gateway, path: str, status: int = 200) -> str:
    """The page, entities read."""
    return unescape(raw(gateway, path, status))


def told_by(gateway: Gateway, path: str) -> str:
    """What a person reads of it, with single spaces."""
    return text_of(raw(gateway, path))


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


# ------------------------------------------------------------------ all prompts


def test_all_prompts(released: Gateway):
    page = shown(released, "/console/prompts")
    told = told_by(released, "/console/prompts")
    assert "3 prompts. This gateway serves what is released in production" in told
    assert "Sends a ticket to a team." in told
    assert "@support, @ml" in told.replace(" ,", ",")
    assert "v4-draft" in told
    assert "differs from production" in told
    assert link("/console/diff", id=TRIAGE, a="v2", b="draft") in page
    assert "production v2 since 2026-11-28 10:30 UTC no evidence it reads better" in told
    assert "production v3 canary 5.0% of the users since 2026-11-28 11:30 UTC" in told
    assert "staging v3 shadow 50.0% of the inferences, shown to nobody, at most $2.00" in told
    assert "paused" in told
    assert "evals/triage/evidence/" in told


def test_a_broken_file_is_told_and_hides_nothing_else(released: Gateway):
    told = told_by(released, "/console/prompts")
    assert "prompts/support/broken.prompt.md:2" in told
    assert "its file is wrong (prompts/support/broken.prompt.md)" in told
    told = told_by(released, "/console/prompt?id=support/broken")
    assert "prompts/support/broken.prompt.md:2" in told


def test_odd_texts_are_only_text(released: Gateway):
    for path in (
        "/console/prompts",
        link("/console/prompt", id=ODD),
        "/console/releases",
        "/console/releases?env=staging",
        link("/console/release", env="staging", id=TRIAGE, act="withdraw"),
        link("/console/prompt", id=TRIAGE),
    ):
        page = shown(released, path)  # which looks for markup
        assert "window.pwned" in page
    page = shown(released, link("/console/prompt", id=ODD))
    assert "<script>window.pwned=3</script> or </pre><img src=x" in page
    assert "Hidden \u27e6U+200B\u27e7 and \u27e6U+202E\u27e7 turned." in page
    assert "\u202e" not in page


def test_nothing_yet(tmp_path: Path):
    with (
        running_fault_provider() as provider,
        running_gateway(tmp_path, project_text(provider.base_url)) as gateway,
    ):
        assert "The project has no prompts yet" in shown(gateway, "/console/prompts")
        assert "Nothing is released yet" in shown(gateway, "/console/releases")
        write(tmp_path, f"{TRIAGE}.prompt.md", "---\nmodel: fast\n---\nYou route tickets.\n")
        told = told_by(gateway, "/console/prompts")
        assert "1 prompt. This gateway serves the files as they are." in told
        assert "fast none none v1-draft nowhere" in told


def test_what_is_wrong_on_disk_is_told(tmp_path: Path):
    lay_out(tmp_path)
    with (
        running_fault_provider(SCRIPT) as provider,
        running_gateway(tmp_path, project(provider.base_url)) as gateway,
    ):
        (tmp_path / f"prompts/{ODD}.prompt.md").unlink()
        told = told_by(gateway, "/console/prompts")
        assert "its file is gone (prompts/support/odd.prompt.md)" in told
        assert "v1" in told_by(gateway, link("/console/prompt", id=ODD))
        record = tmp_path / f"prompts/_versions/{TRIAGE}/v1.json"
        record.write_text(record.read_text().replace("tickets well", "tickets ill"))
        page = shown(gateway, link("/console/prompt", id=TRIAGE, version="v1"))
        assert "do not have the hash that was recorded" in page
        record.write_text("{")
        for path in ("/console/prompts", link("/console/prompt", id=TRIAGE)):
            assert "Take it back from version control" in shown(gateway, path), path
        (tmp_path / "releases/staging.toml").write_text("prompts = 3\n")
        for path in ("/console/prompts", "/console/releases?env=staging"):
            assert "cannot be read" in shown(gateway, path), path
        path = link("/console/release", env="staging", id=TRIAGE)
        assert "staging.toml" in shown(gateway, path, 503)
        (tmp_path / "prompts/_partials/tone.md").unlink()
        told = told_by(gateway, link("/console/prompt", id=TRIAGE))
        assert "_partials/tone.md" in told


# ------------------------------------------------------------------ one prompt


def test_the_versions_with_their_figures(released: Gateway):
    page = shown(released, link("/console/prompt", id=TRIAGE))
    names = re.findall(r'class="main"><a [^>]+>(v\d(?:-draft)?)</a>', page)
    assert names == ["v4-draft", "v3", "v2", "v1"]
    by_version = {one.version: one for one in figures(released)}
    assert {one.arm for one in by_version.values()} == {"released", "canary"}
    rows = re.split(r"<tr role", page)
    for version, one in by_version.items():
        (row,) = [row for row in rows if f">{version}</a>" in row]
        told = text_of(row)
        low, high = wilson(0, one.inferences).low, wilson(0, one.inferences).high
        assert f"{one.arm} {one.inferences} 0.0% {low:.1%}\N{EN DASH}{high:.1%}" in told
        assert "100.0%" in told, "none of the answers has the form"
        assert "$0.0001" in told
        assert ("too few" in told) == (one.inferences < 30)
    (row,) = [row for row in rows if ">v1</a>" in row]
    assert "staging" in text_of(row)


def test_a_version_is_shown_as_it_was(released: Gateway):
    page = shown(released, link("/console/prompt", id=TRIAGE, version="v1"))
    assert "You route tickets well." in page
    assert "temperature: 0.2" in page
    assert "prompts/_partials/tone.md" in page
    assert "Be kind, and brief." in page
    page = shown(released, link("/console/prompt", id=TRIAGE))
    assert "You route tickets at last." in page
    draft = re.search(r'<code class="id">([0-9a-f]{64})</code>', page)
    assert draft is not None
    same = shown(released, link("/console/prompt", id=TRIAGE, version=draft[1][:12]))
    assert "You route tickets at last." in same


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/console/prompt?id=support/trage", 404, "Did you mean support/triage"),
        ("/console/prompt?id=../../etc/passwd", 404, "has no prompt"),
        ("/console/prompt", 404, "has no prompt"),
        (f"/console/prompt?id={TRIAGE}&version=v9", 404, "no version 'v9'"),
        (f"/console/diff?id={TRIAGE}&a=v9", 404, "no version 'v9'"),
        ("/console/diff?id=nothing", 404, "has no prompt"),
        (f"/console/diff?id={ODD}", 400, "one version only"),
        ("/console/releases?env=nowhere", 404, "there are: production, staging"),
        ("/console/releases?env=../x", 404, "there are: production, staging"),
        ("/console/release?env=production&id=nothing", 404, "No version of prompt 'nothing'"),
        (f"/console/release?id={TRIAGE}&act=promote", 400, "rollback, pause, withdraw"),
    ],
)
def test_a_wrong_address_is_explained(released: Gateway, path: str, status: int, words: str):
    assert words in shown(released, path, status)


def test_inferences_of_a_version(released: Gateway):
    page = shown(released, link("/console/inferences", prompt=TRIAGE, version="v3"))
    (canary,) = [one for one in figures(released) if one.arm == "canary"]
    assert page.count("/console/inferences/inf_") == canary.inferences


# ------------------------------------------------------------------ differences


def test_words_that_changed(released: Gateway):
    page = shown(released, link("/console/diff", id=TRIAGE, a="v1", b="v2"))
    assert "Callers may go on as before" in page
    assert '<del><span class="hidden-text">removed: </span>well</del>' in page
    assert '<ins><span class="hidden-text">added: </span>better</ins>' in page
    assert "1 message as before" in page
    assert ">Fields<" not in page
    back = shown(released, link("/console/diff", id=TRIAGE, a="v2", b="v1"))
    assert "removed: </span>better</del>" in back


def test_fields_that_changed(released: Gateway):
    told = told_by(released, link("/console/diff", id=TRIAGE, a="v2", b="v3"))
    assert "config.temperature 0.2 0.4" in told
    page = shown(released, link("/console/diff", id=TRIAGE, a="v3"))
    assert "not every caller may go on as before" in page
    assert "variable <code>locale</code> is now required" in page
    assert "breaking" in page
    assert "v3 → v4-draft" in page


def test_a_change_that_is_none(tmp_path: Path):
    lay_out(tmp_path)
    with (
        running_fault_provider(SCRIPT) as provider,
        running_gateway(tmp_path, project(provider.base_url)) as gateway,
    ):
        same = triage("best", temperature=0.4).replace("to a team", "to some " + "other team " * 9)
        write(tmp_path, f"{TRIAGE}.prompt.md", same)
        page = shown(gateway, link("/console/diff", id=TRIAGE, a="v3", b="draft"))
        assert "The behaviour does not change." in page
        assert "only what the file says about itself" in page
        assert "no other behaviour" in page
        assert "added: </span>" in page
        write(tmp_path, "_partials/tone.md", "Be kind, brief and <b>bold</b>.\n")
        page = shown(gateway, link("/console/diff", id=TRIAGE, a="v3", b="draft"))
        assert "_partials/tone.md" in page
        assert "<b>bold</b>" in page
        assert release(tmp_path, triage("new"), author(15, "again")) == "v4"
        page = shown(gateway, link("/console/diff", id=TRIAGE))
        assert "v3 → v4" in page, "the file is v4, so there is no draft"


def test_white_space_that_changed_can_be_seen():
    assert (
        marked(Span("added", " \t\n")).text
        == "\N{MIDDLE DOT}\N{RIGHTWARDS ARROW}\N{RETURN SYMBOL}\n"
    )
    assert marked(Span("removed", " word\n")).text == " word\n"
    assert marked(Span("same", "  ")).text == "  "


def test_the_same_as_the_command(released: Gateway):
    printed = trimtab("release", "status", "--json", folder=released.folder)
    assert printed.returncode == 0, printed.stderr
    told = told_by(released, "/console/prompts")
    for version in re.findall(r'"version": ?"(v\d)"', printed.stdout):
        assert version in told
