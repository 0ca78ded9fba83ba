"""Rules about what must not stand in a prompt: credentials, and addresses of people.

What is found is never shown, only its kind and its line.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from trimtab.prompts.library import FOLDER, Library
from trimtab.prompts.lint.lints import Lint
from trimtab.prompts.lint.source import Source
from trimtab.prompts.parse import file_of

__all__ = ["check_secrets", "kinds_in"]

# Each from the public description of its issuer's format.
_SECRETS: Final = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY")),
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_\w{50})")),
    ("a GitLab token", re.compile(r"\bglpat-[\w-]{20}")),
    ("a Slack token", re.compile(r"\bxox[abeoprs]-[0-9A-Za-z-]{10}")),
    ("a Stripe key", re.compile(r"\b[rs]k_live_[0-9A-Za-z]{16}")),
    ("a Google API key", re.compile(r"\bAIza[\w-]{35}")),
    ("a Hugging Face token", re.compile(r"\bhf_[0-9A-Za-z]{30}")),
    ("an API key (sk-)", re.compile(r"\bsk-[\w-]{20}")),
    ("a trimtab key", re.compile(r"\btt-[\w-]{20}")),
    ("a JSON Web Token", re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8}")),
    ("a password in an address", re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@{}]+:[^\s:/@{}]{3,}@")),
)  # fmt: skip
_ASSIGNED: Final = re.compile(
    r"(?i)(?:api[_-]?key|access[_-]?key|secret|token|passw(?:or)?d|credential)\w{0,20}[\"']?"
    r"\s{0,4}[:=]\s{0,4}[\"']?(?P<value>[\w+/.=-]{16,200})"
)
_LEAST_BITS: Final = 3.5  # of entropy in each letter: words and names have less
_EMAIL: Final = re.compile(r"[\w.+-]{1,64}@(?P<domain>[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})")
_NOBODY: Final = re.compile(
    r"(?i)(?:.*\.)?(?:example\.(?:com|net|org)|example|invalid|test|localhost)"
)

_REMEDIES: Final = {
    "secret": "Take it out and revoke it: the repository keeps it, and models repeat it",
    "email": "Pass it as a variable, or write one of example.com",
}


def check_secrets(source: Source, library: Library) -> Iterator[Lint]:
    """What must not stand in the files of a prompt."""
    behaviour = source.prompt.behaviour
    tools = (f"_tools/{tool}.json" for tool in behaviour.tools)
    for name in (file_of(source.prompt.id), *behaviour.partials, *tools):
        lines = (library.read(name) or "").splitlines()
        for number, line in enumerate(lines, 1):
            for rule, kind in kinds_in(line):
                place = f"{FOLDER}/{name}:{number}"
                yield source.lint(rule, place, f"{kind} stands here", remedy=_REMEDIES[rule])


def kinds_in(line: str) -> Iterator[tuple[str, str]]:
    """Rule and kind of what stands in a line, each kind once."""
    secrets = [kind for kind, pattern in _SECRETS if pattern.search(line)]
    if not secrets and any(_is_random(found["value"]) for found in _ASSIGNED.finditer(line)):
        secrets = ["what looks like a password or key"]
    for kind in secrets:
        yield "secret", kind
    if not secrets and any(
        _NOBODY.fullmatch(found["domain"]) is None for found in _EMAIL.finditer(line)
    ):
        yield "email", "an e-mail address"


def _is_random(value: str) -> bool:
    """Letters and digits, mixed as only machines mix them."""
    if not (re.search(r"\d", value) and re.search(r"[A-Za-z]", value)):
        return False
    counts = Counter(value).values()
    bits = -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
    return bits >= _LEAST_BITS
