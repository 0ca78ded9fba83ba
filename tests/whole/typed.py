"""Commands typed in this process: what a shell would see, without the second that a start takes."""

import contextlib
import io
import json
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

from trimtab.cli import main

__all__ = ["Done", "typed"]


class Done(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


def typed(cwd: Path, *arguments: str, said: str = "") -> Done:
    """Type a command in a folder; `said` is its standard input."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        _given(["trimtab", *arguments], io.StringIO(said)),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Done(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _given(arguments: list[str], stdin: io.StringIO) -> Generator[None]:
    before = sys.argv, sys.stdin
    sys.argv, sys.stdin = arguments, stdin
    try:
        yield
    finally:
        sys.argv, sys.stdin = before
