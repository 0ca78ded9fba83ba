"""The command line: one file per noun. Parse, call, print, exit code; nothing is decided here."""

import gc
import sys
from typing import Final

from trimtab.errors import TrimtabError, reply_of

__all__ = ["main"]

_OF_EVALS: Final = frozenset(("numpy", "scipy"))
# What loading makes is no rubbish, and an inference that goes well leaves no cycles behind.
_GC_THRESHOLDS: Final = 20_000, 4, 2


def main() -> None:
    """Run `trimtab`. Errors of the house become one message and their exit code."""
    gc.set_threshold(*_GC_THRESHOLDS)
    from trimtab.cli.program import program

    try:
        program()
    except TrimtabError as error:
        print(f"trimtab: {error}", file=sys.stderr)
        sys.exit(reply_of(error).exit_code)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _OF_EVALS:
            raise
        told = f'trimtab: this needs {error.name}. Install it: pip install "trimtab[evals]"'
        print(told, file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
