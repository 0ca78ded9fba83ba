"""`releases/ENVIRONMENT.toml`: what is served, and the log of how it came to that."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from trimtab.config.load import parse_toml
from trimtab.config.locate import locate_keys
from trimtab.config.reader import TableReader
from trimtab.errors import ConfigError, Finding, UsageError

__all__ = [
    "FOLDER", "Act", "Canary", "LogEntry", "Release", "Releases", "environments",
    "load_releases", "release_path", "releases_text", "write_releases",
]  # fmt: skip

FOLDER: Final = "releases"

Act = Literal["promote", "canary", "shadow", "pause", "resume", "withdraw", "rollback"]
"""What somebody did. A canary is withdrawn; a release is rolled back."""

_Version = Annotated[str, Meta(pattern=r"^v[1-9]\d{0,8}$")]
_Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
_Share = Annotated[float, Meta(ge=0, le=1)]

_ENVIRONMENT: Final = re.compile(r"[A-Za-z][\w-]{0,62}")
_HEAD: Final = """\
# What {name} serves. Written by `trimtab release`; `trimtab check --releases` verifies it.
# A change here is a change of what users get: review it as one.
"""


class Canary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A version that a share of the users gets, or that is tried without being shown.

    Attributes:
        version, hash: which one, on record in `prompts/_versions`.
        model: the pin, `provider:model`.
        share: of the users; or with `shadow` of the inferences.
        shadow: its answers are shown to nobody.
        most_usd: what a shadow may cost in all; required for one.
        paused: why nobody gets it for now; "" while somebody does.
        since: UTC.
    """

    version: _Version
    hash: _Hash
    model: str
    share: _Share
    shadow: bool = False
    most_usd: Annotated[float, Meta(ge=0)] = 0.0
    paused: str = ""
    since: str = ""


class Release(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is served of one prompt.

    Attributes:
        version, hash: which one, on record in `prompts/_versions`.
        model: the pin, `provider:model`.
        evidence: file with the verdict that allowed it; "" if it was forced.
        forced: the reason for a release without evidence; "" for none.
        since: UTC.
        canary: beside it.
    """

    version: _Version
    hash: _Hash
    model: str
    evidence: str = ""
    forced: str = ""
    since: str = ""
    canary: Canary | None = None


class LogEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was done.

    Attributes:
        at: UTC.
        who: as they call themselves.
        act: what.
        prompt: of which.
        before, after: versions; "" for none.
        model: the pin after it.
        reason: why, where one was given.
        evidence: file with the verdict; "" for none.
        hash_before: content of the version before, so that a rollback finds it.
        model_before: its pin.
    """

    at: str
    who: str
    act: Act
    prompt: str
    before: str = ""
    after: str = ""
    model: str = ""
    reason: str = ""
    evidence: str = ""
    hash_before: str = ""
    model_before: str = ""

    @property
    def sentence(self) -> str:
        """What somebody did, in words without a full stop."""
        match self.act:
            case "promote" | "rollback":
                before = f" instead of {self.before}" if self.before else ""
                word = "serves" if self.act == "promote" else "is back at"
                return f"{self.prompt} {word} {self.after}{before} at {self.model}"
            case "canary":
                return f"{self.prompt} tries {self.after} beside {self.before} on some users"
            case "shadow":
                return f"{self.prompt} tries {self.after} beside {self.before} in the shadow"
            case "pause":
                return f"{self.prompt}: {self.before} is paused"
            case "resume":
                return f"{self.prompt}: {self.before} is tried again"
            case "withdraw":
                return f"{self.prompt}: {self.before} is tried no more"


class Releases(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One environment.

    Attributes:
        prompts: what is served, by prompt.
        log: what was done, oldest first.
    """

    prompts: dict[str, Release] = {}
    log: tuple[LogEntry, ...] = ()


def release_path(project: Path, environment: str) -> Path:
    """The file of an environment.

    Raises:
        UsageError: that is no name of one.
    """
    if _ENVIRONMENT.fullmatch(environment) is None:
        raise UsageError(
            f"{environment[:80]!r} is no name of an environment. Use letters, digits, - and _."
        )
    return project / FOLDER / f"{environment}.toml"


def environments(project: Path) -> list[str]:
    """The names of the environments that have a file."""
    folder = project / FOLDER
    names = [path.stem for path in folder.glob("*.toml")] if folder.is_dir() else []
    return sorted(name for name in names if _ENVIRONMENT.fullmatch(name))


def load_releases(project: Path, environment: str) -> Releases:
    """What an environment serves; nothing if it has no file yet.

    Raises:
        ConfigError: the file is wrong; carries every finding.
    """
    file = release_path(project, environment)
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return Releases()
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise ConfigError([Finding(str(file), problem, "Check its permissions")]) from error
    return parse_releases(file, content)


def parse_releases(file: Path, content: bytes) -> Releases:
    """What the bytes of a file say.

    Raises:
        ConfigError: they are wrong; carries every finding.
    """
    text, raw = parse_toml(file, content)
    reader = TableReader(file, locate_keys(text))
    releases = reader.read(Releases, raw)
    for name, release in (releases.prompts if releases is not None else {}).items():
        canary = release.canary
        if canary is not None and canary.shadow and not canary.most_usd:
            reader.report(
                ("prompts", name, "canary"), "a shadow without a cost cap", "Add most_usd"
            )
    if reader.findings or releases is None:
        raise ConfigError(reader.findings)
    return releases


# ---------------------------------------------------------------- writing


def releases_text(releases: Releases, environment: str) -> str:
    """The text of the file. Prompts stand in order, so that a difference shows what changed."""
    lines = [_HEAD.format(name=environment)]
    for name in sorted(releases.prompts):
        release = releases.prompts[name]
        lines.append(_table(f"prompts.{_quoted(name)}", release, Release))
        if release.canary is not None:
            lines.append(_table(f"prompts.{_quoted(name)}.canary", release.canary, Canary))
    lines += [_table("log", entry, LogEntry, many=True) for entry in releases.log]
    return "\n".join(lines)


def write_releases(project: Path, environment: str, releases: Releases) -> Path:
    """Replace the file in one step: whoever reads it finds the old one or the new one.

    Raises:
        ConfigError: it cannot be written.
    """
    file = release_path(project, environment)
    content = releases_text(releases, environment).encode()
    if parse_releases(file, content) != releases:
        raise AssertionError("a release file would not say what it should")
    spare = file.with_suffix(f".{os.getpid()}.new")
    try:
        file.parent.mkdir(exist_ok=True)
        with spare.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        spare.replace(file)
    except OSError as error:
        with suppress(OSError):  # as where the folder is a file
            spare.unlink()
        problem = f"cannot be written: {error.strerror}"
        raise ConfigError([Finding(str(file), problem, "Check permissions and room")]) from error
    return file


def _table(
    name: str, value: msgspec.Struct, kind: type[msgspec.Struct], *, many: bool = False
) -> str:
    """A table with the keys that are not at their default."""
    lines = [f"[[{name}]]" if many else f"[{name}]"]
    for field in msgspec.structs.fields(kind):
        written = getattr(value, field.name)
        if isinstance(written, msgspec.Struct) or written is None:
            continue
        if field.required or written != field.default:
            lines.append(f"{field.name} = {_value(written)}")
    return "\n".join(lines) + "\n"


def _value(value: str | bool | float) -> str:  # noqa: FBT001 - a value of a table
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _quoted(value)
    return format(Decimal(str(value)), "f")


_ESCAPES: Final[Mapping[str, str]] = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def _quoted(text: str) -> str:
    """A basic string of TOML."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\u{ord(character):04x}" if ord(character) < 32 or ord(character) == 127 else character
