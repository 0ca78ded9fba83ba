"""`trimtab demo`: a gateway in front of a real local model, with traffic, and what it tells."""

import re
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["demo"]

_PROJECT = """\
# The project of `trimtab demo`: a small model that runs on this machine.
[server]
port = {port}

[recording]
bodies = "full"

[providers.local]
parallel = 2
context_tokens = 8192

[models.chat]
ref = "local:smollm2-135m-instruct"
max_output_tokens = 256
# It costs nothing here. It is priced like a small hosted model, so that the bill is one.
price = {{input_usd_per_mtok = 0.10, output_usd_per_mtok = 0.40}}

[models.small]                # what the prompts of the examples ask for
ref = "local:smollm2-135m-instruct"
max_output_tokens = 128
price = {{input_usd_per_mtok = 0.10, output_usd_per_mtok = 0.40}}

[providers.away]              # nothing listens there: what is sent there alone will fail
kind = "openai"
base_url = "http://127.0.0.1:9/v1"

[models.away]
ref = "away:some-model"
price = {{input_usd_per_mtok = 0.10, output_usd_per_mtok = 0.40}}

[routes.steadfast]            # the same model, but with another one to fall back on
model = "away"
fallback = ["chat"]

[routes.remembers]            # the same request is answered again, and costs nothing
model = "chat"
cache = {{ttl_s = 3600}}

[routes.impatient]            # a deadline that this model cannot keep: its request will time out
model = "chat"
timeouts = {{total_s = 0.5}}
"""

_GITIGNORE = "*\n"
_LADDERS = ("steadfast", "remembers")


def demo(
    exit_when_done: Annotated[
        bool, typer.Option("--exit", help="End when the figures are shown, instead of serving on.")
    ] = False,
    folder: Annotated[Path, typer.Option(help="Where its project is made.")] = Path(".demo"),
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to serve on, if it is free.")
    ] = 8080,
) -> None:
    """Start a real local model behind a gateway, send traffic, show what it cost and how long."""
    from trimtab.cli.demo_suite import SUITE, copy_suite, run_suite
    from trimtab.cli.demo_traffic import send_traffic
    from trimtab.cli.output import console

    console.print(
        "[bold]trimtab demo[/bold]: a gateway in front of a language model on this machine"
    )
    _make_project(folder, port)
    copy_suite(folder)
    with _gateway(folder) as url:
        pages = f"{url.removesuffix('/v1')}/console"
        console.print(f"gateway   {url}\nconsole   {pages}\nproject   {folder}/trimtab.toml\n")
        send_traffic(url)
        _show(folder)
        run_suite(folder)
        console.print(f"\nAsk again: trimtab spend users -p {folder}")
        console.print(f"           trimtab latency -p {folder}")
        console.print(f"           trimtab eval gate {SUITE} -p {folder} --baseline none")
        if exit_when_done:
            return
        console.print(f"Look:      {pages}")
        console.print(f'Call it:   OpenAI(base_url="{url}", api_key="none"), model="chat"')
        console.print("Serving until Ctrl-C.")
        _wait_for_ctrl_c()


def _make_project(folder: Path, port: int) -> None:
    """A project of its own each time: figures of an earlier demo would mix with these."""
    import shutil

    folder.mkdir(parents=True, exist_ok=True)
    for earlier in (".trimtab", "prompts", "evals"):
        shutil.rmtree(folder / earlier, ignore_errors=True)
    (folder / ".gitignore").write_text(_GITIGNORE, encoding="utf-8")
    text = _PROJECT.format(port=port if _is_free(port) else 0)
    (folder / "trimtab.toml").write_text(text, encoding="utf-8")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextmanager
def _gateway(folder: Path) -> Generator[str]:
    """`trimtab up` in a process of its own, as a user would run it. Gives its base URL."""
    from trimtab.errors import UsageError

    log = folder / "gateway.log"
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            [sys.executable, "-m", "trimtab", "up", "--project", str(folder)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # Ctrl-C is for the demo, which then stops the gateway
        )
    assert process.stdout is not None
    try:
        found = re.search(r"http://\S+/v1", process.stdout.readline())
        if found is None:
            process.wait()
            said = log.read_text(encoding="utf-8").strip()
            raise UsageError(f"The gateway did not start. It says:\n{said}")
        yield found[0]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _show(folder: Path) -> None:
    from trimtab.archive import open_reader, verify_store
    from trimtab.cli.ladder_table import print_ladder
    from trimtab.cli.latency import print_latency
    from trimtab.cli.output import console
    from trimtab.cli.spend.users_table import print_spend
    from trimtab.insights.ladder import ladder_by_route
    from trimtab.insights.latency import latency_by
    from trimtab.insights.spending import spend_per_user
    from trimtab.insights.window import parse_window_ns
    from trimtab.types.clock import SystemClock

    file = folder / "trimtab.toml"
    now_ns = SystemClock.wall_ns()
    since_ns = now_ns - parse_window_ns("1h")
    reader = open_reader(file)
    console.print()
    print_spend(spend_per_user(reader, since_ns, now_ns))
    console.print()
    print_latency(latency_by(reader, "route", since_ns=since_ns, until_ns=now_ns), "route")
    console.print()
    ladders = ladder_by_route(reader, since_ns, now_ns)
    print_ladder([row for row in ladders if row.route in _LADDERS])
    report = verify_store(file)
    console.print(
        f"\nLedger: {report.settles} of {report.intents} attempts settled, "
        + ("every link of the chain verified." if report.ok else "DAMAGED.")
    )


def _wait_for_ctrl_c() -> None:
    import signal
    import threading

    stop = threading.Event()

    def end(_number: int, _frame: object) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    try:
        stop.wait()
    except KeyboardInterrupt:
        print()
