"""docs/gate-story.md, typed on the real local model: what it prints is what the page says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from trimtab.config.environment import environment

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "src/trimtab/examples/evals"
PAGE = ROOT / "docs/gate-story.md"
LEFT_OUT = "..."


class Command(NamedTuple):
    """What is typed, how it ends, and what it prints."""

    line: str
    code: int
    printed: list[str]


def transcript(page: str) -> list[Command]:
    found: list[Command] = []
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                typed, _, code = line.removeprefix("$ ").partition("# exit ")
                found.append(Command(typed.strip(), int(code or 0), []))
            else:
                found[-1].printed.extend([line] if line.strip() else [])
    return found


def words(line: str) -> str:
    """Without digits, which differ, and without what is drawn."""
    plain = re.sub(r"[┊│├┤─●┼▸◂]+", " ", re.sub(r"\b[0-9a-f]{16}\b", "0", line))
    return " ".join(re.sub(r"\d+", "0", plain).split())


def type_it(command: Command, folder: Path) -> list[str]:
    known = environment()
    path = f"{Path(sys.executable).parent}{os.pathsep}{known['PATH']}"
    environ = {**known, "PATH": path, "COLUMNS": "200"}
    done = subprocess.run(
        ["bash", "-c", command.line],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    said = f"$ {command.line}\n{done.stdout}{done.stderr}"
    assert done.returncode == command.code, said
    return [words(line) for line in (done.stdout + done.stderr).splitlines() if line.strip()]


def check(shown: list[str], printed: list[str]) -> None:
    """Each line that is shown follows the one before, but where `...` stands between them."""
    at, free = 0, False
    for line in shown:
        if line == LEFT_OUT:
            free = True
            continue
        wanted = words(line)
        if free:
            assert wanted in printed[at:], f"{line!r} is not in:\n" + "\n".join(printed[at:])
            at = printed.index(wanted, at)
        else:
            assert printed[at] == wanted
        at, free = at + 1, False
    assert free or at == len(printed), f"more is printed:\n{printed[at:]}"


def test_a_worse_prompt_is_refused_an_unchanged_one_is_not_and_a_temperature_demands_a_gate(
    tmp_path: Path,
):
    folder = tmp_path / "project"
    shutil.copytree(EXAMPLES, folder)
    commands = transcript(PAGE.read_text(encoding="utf-8"))
    assert [command.code for command in commands if "eval gate" in command.line] == [0, 0, 1]
    for command in commands:
        check(command.printed, type_it(command, folder))


def test_a_page_that_says_something_else_would_be_seen():
    printed = [words(line) for line in ("PASS  s: v1", "- accuracy 0.7 is fine", "the end")]
    check(["PASS  s: v2", "...", "the end"], printed)
    for shown in (["FAIL  s: v1", "..."], ["PASS  s: v1"], ["...", "- format 0.7 is fine", "..."]):
        try:
            check(shown, printed)
        except AssertionError:
            continue
        raise AssertionError(shown)
