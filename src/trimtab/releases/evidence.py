"""Evidence: a verdict of a gate on exactly one prompt version, model pin, config and suite."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from trimtab.errors import UsageError
from trimtab.prompts.prompt import Prompt

__all__ = ["Evidence", "Wanted", "find_evidence", "read_evidence", "suite_hash", "wanted_of"]

Verdict = Literal["pass", "fail", "inconclusive"]

_FOLDER: Final = "evals"
_MOST_BYTES: Final = 50_000_000
_NAMES_SHOWN: Final = 3


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate writes to `evals/SUITE/evidence/HASH.json`; other keys of the file are its own.

    Attributes:
        prompt: id.
        prompt_hash: of the version that was tried: model alias and config are part of it.
        model: the pin it ran at, `provider:model`.
        suite: name.
        suite_hash: of the suite's files as they were.
        verdict: what the gate said.
        at: UTC.
    """

    prompt: str
    prompt_hash: str
    model: str
    suite: str
    suite_hash: str
    verdict: Verdict
    at: str = ""


class Wanted(NamedTuple):
    """What evidence must be about."""

    prompt: str
    prompt_hash: str
    model: str
    suite: str
    suite_hash: str


def suite_hash(project: Path, suite: str) -> str:
    """SHA-256 over the names and bytes of a suite's files; its evidence and reports are no part.

    Raises:
        UsageError: there is no such suite.
    """
    folder = project / _FOLDER / suite
    if not suite or not folder.is_dir() or not folder.resolve().is_relative_to(project.resolve()):
        raise UsageError(
            f"There is no suite {suite[:80]!r}. Write {_FOLDER}/{suite[:80]}/suite.toml."
        )
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and name.parts[0] in {"suite.toml", "cases.jsonl", "evaluators.py"}:
            with path.open("rb") as handle:
                content = hashlib.file_digest(handle, "sha256").hexdigest()
            digest.update(f"{name.as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def wanted_of(project: Path, prompt: Prompt, model: str) -> Wanted:
    """What must be proven before a version may be released.

    Raises:
        UsageError: the prompt names no suite, or one that is not there.
    """
    suite = prompt.about.suite
    if not suite:
        raise UsageError(
            f"Prompt {prompt.id!r} names no suite, so nothing can prove that it is good. Add "
            "`suite: NAME` to its front matter, or use --force with --reason."
        )
    return Wanted(prompt.id, prompt.version_hash, model, suite, suite_hash(project, suite))


def read_evidence(file: Path) -> Evidence | None:
    """What a file proves; None where it is no evidence."""
    try:
        if file.stat().st_size > _MOST_BYTES:
            return None
        return msgspec.json.decode(file.read_bytes(), type=Evidence)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def find_evidence(project: Path, wanted: Wanted) -> Path:
    """The newest file with a verdict on exactly this, if the verdict is that it passed.

    An older pass does not outweigh a newer fail: who asks often enough gets one by chance.

    Raises:
        UsageError: there is none; says what there is, and how it differs.
    """
    folder = project / _FOLDER / wanted.suite / "evidence"
    known = [
        (path, found)
        for path in sorted(folder.glob("*.json"))
        if (found := read_evidence(path)) is not None and found.prompt == wanted.prompt
    ]
    about = [(found.at, path, found) for path, found in known if not _about_another(found, wanted)]
    if about:
        _, path, found = max(about, key=_age_of)
        if found.verdict == "pass":
            return path
        said = f"The newest gate ({found.at}) said {found.verdict} of exactly this version"
    else:
        said = "No gate has passed exactly this version"
    raise UsageError(_missing(wanted, said, [found for _, found in known if not about]))


def _age_of(one: tuple[str, Path, Evidence]) -> tuple[str, Path]:
    return one[0], one[1]


def _about_another(found: Evidence, wanted: Wanted) -> list[str]:
    pairs = {
        "another version of the prompt": found.prompt_hash == wanted.prompt_hash,
        f"model {found.model} instead of {wanted.model}": found.model == wanted.model,
        "another state of the suite": (found.suite, found.suite_hash)
        == (wanted.suite, wanted.suite_hash),
    }
    return [difference for difference, same in pairs.items() if not same]


def _missing(wanted: Wanted, said: str, known: Sequence[Evidence]) -> str:
    differences = sorted((_about_another(found, wanted) for found in known), key=len)
    seen = list(dict.fromkeys(" and ".join(one) for one in differences))[:_NAMES_SHOWN]
    there = f" The evidence that there is has {'; '.join(seen)}." if seen else ""
    name, suite = wanted.prompt, wanted.suite
    return (
        f"{said} of {name!r} at {wanted.model} with suite {suite!r} as it is now.{there} Run "
        f"`trimtab eval gate {suite}`, or use --force with --reason."
    )
