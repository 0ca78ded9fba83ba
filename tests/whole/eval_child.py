"""Runs commands of trimtab, each in a process of its own that begins with everything loaded.

`python -m whole.eval_child`: a line of JSON on the standard input is a command; for each, two lines
come back: the process id, and how it ended (an exit code, or minus the signal). What it says goes
to the standard error.
"""

import json
import os
import sys

from trimtab.cli import main
from trimtab.cli.eval import aa, gate, opened, order, run, session, shown

LOADED = (aa, gate, opened, order, run, session, shown)


def say(word: int) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def carry_out(command: list[str]) -> None:
    """In the child."""
    os.dup2(2, 1)
    sys.argv = ["trimtab", *command]
    code = 1
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        os._exit(code)


def serve() -> None:
    """Until the standard input ends."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            carry_out(json.loads(line))
        say(pid)
        _, status = os.waitpid(pid, 0)
        say(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    serve()
