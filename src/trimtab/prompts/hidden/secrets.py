"""What smells of a secret is not reported, and what looks like one is cut out of a text."""

import re
from typing import Final

from trimtab.prompts.hidden.found import Part, Placeholder, word_set, words_of
from trimtab.prompts.hidden.placeholders import join_parts

__all__ = ["mask_secrets", "names_secret"]

_WORDS: Final = word_set(
    "key keys token tokens secret secrets password passwords passwd passphrase pwd credential"
    " credentials apikey auth private dsn"
)
_ENDINGS: Final = ("key", "token", "secret", "password")
_SECRET: Final = re.compile(
    r"-----BEGIN [A-Z ]*+-----[^-]*+(?:-----END [A-Z ]*+-----)?"
    r"|\b(?:sk|pk|rk|tt)[-_][A-Za-z0-9_-]{12,}+"
    r"|\b(?:gh[pousr]|github_pat|glpat|xox[abprs]|hf|npm|dop_v1)[-_][A-Za-z0-9_-]{10,}+"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{12,}+|\bAIza[A-Za-z0-9_-]{20,}+"
    r"|\beyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_.-]*+"
    r"|(?<=://)[^\s/:@]++:[^\s/@]++(?=@)"
    r"|(?i:\b(?:bearer|password|passwd|api[-_ ]?key|secret|token)\b[ \t]*+(?:[:=]|\bis\b)?[ \t]*+"
    r"['\"]?)(?P<value>(?=[^\s'\"]{0,200}?[0-9])[A-Za-z0-9+/_!@#$%^&*.-]{8,}+)"
    r"|(?<![A-Za-z0-9+/_-])(?P<long>[A-Za-z0-9+/_-]{24,}+)"
)
_WRITTEN: Final = "[secret]"


def names_secret(name: str) -> bool:
    """Whether a variable of this name likely holds a secret."""
    words = words_of(name)
    return not _WORDS.isdisjoint(words) or any(word.endswith(_ENDINGS) for word in words)


def mask_secrets(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The same parts, where what looks like a secret is a placeholder `secret_1` and so on."""
    masked: list[Part] = []
    count = 0
    for part in parts:
        if isinstance(part, Placeholder):
            secret = any(_is_secret(match) for match in _SECRET.finditer(part.expression))
            count += secret
            masked.append(Placeholder(_WRITTEN, f"secret_{count}") if secret else part)
            continue
        end = 0
        for match in filter(_is_secret, _SECRET.finditer(part)):
            group = "value" if match["value"] else 0
            count += 1
            masked += [part[end : match.start(group)], Placeholder(_WRITTEN, f"secret_{count}")]
            end = match.end(group)
        masked.append(part[end:])
    return join_parts(masked)


def _is_secret(match: re.Match[str]) -> bool:
    """A long run of letters is one only if it is mixed as no word or path is."""
    run = match["long"]
    if not run:
        return True
    mixed = any(letter.isdigit() for letter in run) and any(letter.isupper() for letter in run)
    return mixed and any(letter.islower() for letter in run) and run.count("/") <= len(run) // 16
