"""The command line: one file per noun. Parse, call, print, exit code; nothing is decided here."""

import sys

from trimtab.cli.program import program
from trimtab.errors import TrimtabError, reply_of

__all__ = ["main"]


def main() -> None:
    """Run `trimtab`. Errors of the house become one message and their exit code."""
    try:
        program()
    except TrimtabError as error:
        print(f"trimtab: {error}", file=sys.stderr)
        sys.exit(reply_of(error).exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
