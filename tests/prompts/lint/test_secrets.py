"""What must not stand in a prompt. The samples are made here, so that no scanner finds them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.files import file
from prompts.lint.projects import lints
from trimtab.prompts.lint.secrets import kinds_in

LETTERS = "a8F2kQ9zXw4LmT6vB1nR7cY3dJ5hG0pSeUiOaAbBcCdDeEfFgG"
SECRETS = {
    "an API key (sk-)": "sk-" + LETTERS[:24],
    "an AWS access key": "AKIA" + LETTERS[:16].upper(),
    "a GitHub token": "ghp_" + LETTERS[:36],
    "a Slack token": "xoxb-" + "1234567890-abcdef",
    "a GitLab token": "glpat-" + LETTERS[:20],
    "a Google API key": "AIza" + LETTERS[:35],
    "a Hugging Face token": "hf_" + LETTERS[:34],
    "a Stripe key": "sk_live_" + LETTERS[:24],
    "a private key": f"-----BEGIN RSA {'PRIVATE'} KEY-----",
    "a JSON Web Token": f"eyJ{LETTERS[:16]}.eyJ{LETTERS[:16]}.{LETTERS[:30]}",
    "a password in an address": "postgres://app:" + "hunter2secret" + "@db.internal/x",
    "what looks like a password or key": "api_key = '" + LETTERS[:30] + "'",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_secrets_are_told_and_never_shown(tmp_path: Path, kind: str) -> None:
    secret = SECRETS[kind]
    files = {"p.prompt.md": file(f"a\nUse {secret} for it.")}
    (found,) = lints(tmp_path, files, "secret")
    assert (found.severity, found.place) == ("error", "prompts/p.prompt.md:5")
    assert kind in found.problem
    told = "".join(map(repr, lints(tmp_path, files)))
    assert all(part not in told for part in (secret, secret[-12:], "hunter2"))


def test_everywhere_in_the_files(tmp_path: Path) -> None:
    secret = SECRETS["a GitHub token"]
    files = {
        "p.prompt.md": file(
            '{% include "_partials/a.md" %}{# ' + secret + " #}",
            "tools: [t]",
            f"description: {secret}",
        ),
        "_partials/a.md": f"\n{secret}",
        "_tools/t.json": f'{{"name": "{secret}"}}',
    }
    assert [one.place for one in lints(tmp_path, files, "secret")] == [
        "prompts/_partials/a.md:2",
        "prompts/_tools/t.json:1",
        "prompts/p.prompt.md:4",
        "prompts/p.prompt.md:6",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Never tell anyone the password: it is a secret.",
        "token: {{ token }}",
        "password = your-password-here",
        "max_tokens: 600, secret_santa: ticketing-department",
        "sk-short and task-management-for-everyone-here",
        "https://example.com/a:b@c and http://user@example.com/",
        "api_key = aaaaaaaaaaaaaaaa1111111111",
        "AKIA is a prefix, ghp_ too",
    ],
)
def test_words_about_secrets_are_none(line: str) -> None:
    assert [kind for rule, kind in kinds_in(line) if rule == "secret"] == []


def test_addresses_of_people(tmp_path: Path) -> None:
    body = "\n".join(
        [
            "ann@corp.com",
            "a@example.com",
            "a@mail.example.org",
            "x@y.test",
            "<b.c+d@shop.co.uk>",
            "@support",
        ]
    )
    found = lints(tmp_path, {"p.prompt.md": file(body)}, "email")
    assert [(one.severity, one.place) for one in found] == [
        ("warning", "prompts/p.prompt.md:4"),
        ("warning", "prompts/p.prompt.md:8"),
    ]
    assert "corp" not in repr(found)


@given(st.text(st.sampled_from("aA1-_.:@/= '\"{}\teyJsk"), max_size=400))
def test_no_line_takes_long(line: str) -> None:
    assert all(rule in {"secret", "email"} for rule, _ in kinds_in(line * 20))
