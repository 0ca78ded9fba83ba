"""A project with a suite, a model that is good, one that is not, and a judge: for commands."""

import json
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from typing_extensions import override

from harness import PRICE, project_text
from prompts.files import library
from trimtab.testing import Behaviour, Script

__all__ = ["PROMPT", "SCRIPT", "lay_out", "running_judge", "write_suite"]

PROMPT = """\
---
model: fast
config: {temperature: 0.2, max_tokens: 100}
input:
  schema: {ticket: string}
suite: triage
---
<<system>>
Say which team a ticket belongs to.
<<user>>
{{ ticket }}
"""
GOOD, BAD = Behaviour(text="To billing.", tokens=3), Behaviour(text="No idea.", tokens=2)
SCRIPT = Script(models={"gpt-test": (GOOD,), "gpt-worse": (BAD,)})
SUITE = """\
prompt = "triage"

[[evaluators]]
use = "contains"

[gate]
primary = ["accuracy"]
inconclusive = "block"

[gate.floors]
accuracy = 0.8
"""


def lay_out(folder: Path, base_url: str, *, extra: str = "", judge_url: str = "") -> None:
    """Write the project; the models are `fast`, `worse` and, with an address, `judge`."""
    models = f'[models.worse]\nref = "fake:gpt-worse"\nprice = {PRICE}\n'
    if judge_url:
        models += (
            f'[providers.bench]\nkind = "openai"\nbase_url = "{judge_url}"\n'
            f'[models.judge]\nref = "bench:judge-1"\nprice = {PRICE}\n'
        )
    (folder / "trimtab.toml").write_text(project_text(base_url, extra=models + extra))
    library(folder, {"triage.prompt.md": PROMPT})
    write_suite(folder)


def write_suite(
    folder: Path, toml: str = SUITE, *, name: str = "triage", cases: int = 80, **fields: Any
) -> Path:
    """Write a suite about the prompt; gives its folder."""
    suite = folder / "evals" / name
    suite.mkdir(parents=True, exist_ok=True)
    (suite / "suite.toml").write_text(toml)
    lines = [
        json.dumps(
            {
                "id": f"c{number:03}",
                "variables": {"ticket": f"Ticket {number}: {_words(number)}"},
                "expected": {"contains": ["billing"]},
                "tags": ["money"] if number % 2 else ["other", "rare"],
                **fields,
            }
        )
        for number in range(cases)
    ]
    (suite / "cases.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return suite


def _words(number: int) -> str:
    """A few that no two cases share, so that they are not alike."""
    return " ".join(f"w{number * 10 + place}" for place in range(8))


class _Judge(BaseHTTPRequestHandler):
    """Says pass where an answer names billing, in the form that judges must keep to."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        size = int(self.headers["content-length"])
        asked = json.loads(self.rfile.read(size))
        system, user = (message["content"] for message in asked["messages"])
        mark = re.search(r"\[BEGIN name (\w+)\]", system)
        assert mark is not None
        answer = user.split(f"[BEGIN answer {mark[1]}]\n")[1].split("\n[END answer")[0]
        verdict = "pass" if "billing" in answer else "fail"
        said = json.dumps({"mark": mark[1], "reasoning": "As it says.", "verdict": verdict})
        body = json.dumps(
            {
                "id": "x",
                "object": "chat.completion",
                "created": 1,
                "model": asked["model"],
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": said},
                        "finish_reason": "stop",
                    }
                ],
                "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
            }
        ).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def running_judge() -> Generator[str]:
    """A provider whose models judge; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Judge)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
