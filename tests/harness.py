"""A real gateway in a process of its own, as a user would start it."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from trimtab.archive import open_reader
from trimtab.config.environment import environment
from trimtab.store.protocol import Reader

PRICE = "{input_usd_per_mtok = 0.4, output_usd_per_mtok = 1.6, cache_read_usd_per_mtok = 0.1}"
# For tests that send one fault after the other to one model.
NO_BREAKERS = """
[breakers]
failures = 1_000_000
timeouts = 1_000_000
least_calls = 1_000_000
"""
TRIMTAB = [sys.executable, "-m", "trimtab"]


def project_text(
    base_url: str, *, timeouts: str = "", extra: str = "", server: str = "", retries: int = 0
) -> str:
    """A project with one provider, the alias `fast`, and whatever else a test needs.

    Nothing is tried twice unless `retries` says so, and no model is left alone: most tests are
    about one attempt.
    """
    return f"""
[server]
port = 0
{server}
[providers.fake]
kind = "openai"
base_url = "{base_url}"
[models.fast]
ref = "fake:gpt-test"
price = {PRICE}
[routes.default]
timeouts = {{{timeouts}}}
retries = {retries}
{NO_BREAKERS}
{extra}
"""


class Reply(NamedTuple):
    """A whole HTTP answer. Header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        return self.json["error"]


class Gateway:
    """A running `trimtab up`."""

    def __init__(self, folder: Path, process: subprocess.Popen[str], url: str) -> None:
        self.folder = folder
        self.process = process
        self.url = url
        self.port = int(url.rsplit(":", 1)[1].split("/", maxsplit=1)[0])
        self.output: list[str] = []
        self._pump = threading.Thread(target=self._collect, daemon=True)
        self._pump.start()

    def _collect(self) -> None:
        assert self.process.stdout is not None
        self.output.extend(self.process.stdout)

    def chat(self, *, headers: dict[str, str] | None = None, **fields: Any) -> Reply:
        body = {"model": "fast", "messages": [{"role": "user", "content": "hi"}]} | fields
        return self.request("/v1/chat/completions", json.dumps(body).encode(), headers=headers)

    def request(
        self, path: str, body: bytes | None = None, *, headers: dict[str, str] | None = None
    ) -> Reply:
        url = self.url.removesuffix("/v1") + path
        return _fetched(urllib.request.Request(url, data=body, headers=headers or {}))

    def method(self, method: str, path: str) -> Reply:
        """A request without a body, by any method."""
        url = self.url.removesuffix("/v1") + path
        return _fetched(urllib.request.Request(url, method=method))

    def reader(self) -> Reader:
        return open_reader(self.folder / "trimtab.toml")

    def wait_for_log(self, pattern: str, *, timeout_s: float = 10.0) -> str:
        return wait_until(
            lambda: next((line for line in self.output if re.search(pattern, line)), None),
            timeout_s=timeout_s,
        )

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._reap()

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self._reap()

    def wait_ended(self) -> int:
        """Wait until it has ended by itself, and the exit code."""
        return self._reap()

    def _reap(self) -> int:
        code = self.process.wait(30)
        self._pump.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


def _fetched(request: urllib.request.Request) -> Reply:
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        lower = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(answer.status or 0, lower, answer.read())


def start_gateway(
    folder: Path, *, environ: dict[str, str] | None = None, arguments: Sequence[str] = ()
) -> Gateway:
    """Start `trimtab up` on `folder` and wait for its first line."""
    process = subprocess.Popen(
        [*TRIMTAB, "up", "--project", str(folder), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**environment(), **(environ or {})},
    )
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"http://\S+/v1", line):
            return Gateway(folder, process, found[0])
    raise AssertionError(f"the gateway ended with {process.wait()}: {''.join(said)}")


@contextmanager
def running_gateway(
    folder: Path,
    text: str,
    *,
    environ: dict[str, str] | None = None,
    arguments: Sequence[str] = (),
):
    """A gateway for a `with` block; it must end with status 0."""
    (folder / "trimtab.toml").write_text(text)
    gateway = start_gateway(folder, environ=environ, arguments=arguments)
    try:
        yield gateway
    except BaseException:
        gateway.kill()
        sys.stdout.writelines(gateway.output)
        raise
    if gateway.process.poll() is None:
        code = gateway.stop()
        assert code == 0, f"exit code {code}: {''.join(gateway.output)}"


def at_once(count: int, ask: Callable[[], Reply]) -> list[Reply]:
    """What several requests at the same time are answered, in the order of the answers."""
    replies: list[Reply] = []
    threads = [threading.Thread(target=lambda: replies.append(ask())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return replies


def trimtab(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of trimtab on a project folder."""
    return subprocess.run(
        [*TRIMTAB, *arguments, "--project", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )


def wait_until(condition: Callable[[], Any], *, timeout_s: float = 10.0) -> Any:
    """Ask until the answer is true."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"the condition did not hold within {timeout_s} s")
        threading.Event().wait(0.005)
