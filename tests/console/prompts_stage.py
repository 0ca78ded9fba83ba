"""A project with prompts, versions on record, releases in two environments, and odd texts."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from harness import Gateway
from trimtab.prompts.library import load_library
from trimtab.releases.edit import Author, Trying, pause, promote, try_out
from trimtab.releases.evidence import Evidence, suite_hash
from trimtab.testing import Behaviour, Script

TRIAGE = "support/triage"
ODD = "support/odd"
PIN = "one:fault:main"
MARKUP = '<b onclick="window.pwned=1">because</b> \u202eesrever'
SOME = Trying(0.05)
SCRIPT = Script(named={name: (Behaviour(tokens=5),) for name in ("main", "other")})

_TRIAGE = """\
---
description: Sends a ticket to a team.
model: main
config: {temperature: @temperature@, max_tokens: 60}
input: {schema: {ticket: string@more@}}
output: {schema: {team: string}}
suite: triage
owners: ["@support", "@ml"]
---
<<system>>
You route tickets @words@.
{% include "_partials/tone.md" %}
<<user>>
{{ ticket }}
"""
_ODD = """\
---
description: "<script>window.pwned=2</script>"
model: main
---
<<system>>
Never answer <script>window.pwned=3</script> or </pre><img src=x onerror="window.pwned=4">.
<<user>>
Hidden \u200b and \u202e turned. @words@
"""


def project(base_url: str, environment: str = "production") -> str:
    """The text of the project."""
    price = "{input_usd_per_mtok = 1, output_usd_per_mtok = 10}"
    return f"""
[server]
port = 0
[providers.one]
kind = "openai"
base_url = "{base_url}"
[prompts]
environment = "{environment}"
[models.main]
ref = "{PIN}"
price = {price}
"""


def author(hour: int, reason: str, who: str = "ada") -> Author:
    """Somebody, at an hour of one day."""
    return Author(who, datetime(2026, 11, 28, hour, 30, tzinfo=UTC), reason)


def write(folder: Path, name: str, text: str) -> None:
    """A file below `prompts`."""
    file = folder / "prompts" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def triage(words: str, *, temperature: float = 0.2, more: str = "") -> str:
    """The text of the file."""
    values = {"words": words, "temperature": str(temperature), "more": more}
    return _filled(_TRIAGE, values)


def release(
    folder: Path, text: str, by: Author, *, prompt: str = TRIAGE, to: str = "production"
) -> str:
    """Serve this text; the version that it is. With evidence if there is any, else forced."""
    write(folder, f"{prompt}.prompt.md", text)
    library = load_library(folder)
    found = library.prompts[prompt]
    has = any((folder / "evals/triage/evidence").glob(f"{found.version_hash}.json"))
    done = promote(library, to, found, model=PIN, author=by, force=not has)
    return done.entry.after


def prove(folder: Path, text: str) -> None:
    """Evidence that this text is good."""
    suite = folder / "evals" / "triage"
    (suite / "evidence").mkdir(parents=True, exist_ok=True)
    (suite / "suite.toml").write_text("[suite]\n")
    write(folder, f"{TRIAGE}.prompt.md", text)
    prompt = load_library(folder).prompts[TRIAGE]
    evidence = Evidence(
        prompt=TRIAGE,
        prompt_hash=prompt.version_hash,
        model=PIN,
        suite="triage",
        suite_hash=suite_hash(folder, "triage"),
        verdict="pass",
    )
    file = suite / "evidence" / f"{prompt.version_hash}.json"
    file.write_bytes(msgspec.json.encode(evidence))


def attempt(
    folder: Path, text: str, by: Author, *, to: str = "production", trying: Trying = SOME
) -> str:
    """Try this text beside what is served; the version that it is."""
    write(folder, f"{TRIAGE}.prompt.md", text)
    library = load_library(folder)
    found = library.prompts[TRIAGE]
    done = try_out(library, to, found, model=PIN, author=by, trying=trying)
    return done.entry.after


def lay_out(folder: Path) -> None:
    """Two versions of triage and a canary in production, a paused one in staging, odd texts."""
    write(folder, "_partials/tone.md", "Be kind, and brief.\n")
    prove(folder, triage("well"))
    release(folder, triage("well"), author(8, "the first one"))
    release(folder, triage("well"), author(9, "to try things"), to="staging")
    release(folder, triage("better"), author(10, "it reads better"))
    attempt(folder, triage("best", temperature=0.4), author(11, "a trial"))
    shadow = Trying(0.5, shadow=True, most_usd=2)
    attempt(folder, triage("best", temperature=0.4), author(12, ""), to="staging", trying=shadow)
    pause(folder, "staging", TRIAGE, author=author(13, MARKUP, "<i>bob</i>"))
    release(folder, _filled(_ODD, {"words": "one"}), author(14, MARKUP), prompt=ODD)
    write(folder, f"{TRIAGE}.prompt.md", triage("at last", more=", locale: string"))
    write(folder, "support/broken.prompt.md", "---\nmodel: [main\n---\nHello\n")


def ask(gateway: Gateway, user: str = "ana") -> str:
    """One inference; the version that it got, as the header says it."""
    body = {"prompt": {"id": TRIAGE, "variables": {"ticket": "lost"}}, "user": user}
    reply = gateway.request("/v1/chat/completions", json.dumps(body).encode())
    assert reply.status == 200, reply.body
    return reply.headers["x-trimtab-prompt"].partition("@")[2]


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text
