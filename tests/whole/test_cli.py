"""Every command as a new user runs it, and what each says when it is used wrongly."""

import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from harness import TRIMTAB, project_text, running_gateway, start_gateway
from trimtab.testing import running_fault_provider
from whole.typed import Done, typed

HEAVY = ("uvloop", "sqlite3", "genai_prices", "starlette", "rich", "typer")
COMMANDS = (
    "init", "up", "demo", "check", "keys", "keys create", "keys list", "keys revoke", "spend",
    "spend users", "spend keys", "spend budgets", "spend prices", "spend reprice",
    "spend reconcile", "spend plan", "spend explain", "spend forecast", "spend waste", "latency",
    "alerts", "alerts test", "alerts list", "eval", "ledger", "ledger verify", "ledger rebuild",
    "prompts",
    "prompts list", "prompts show", "prompts render", "prompts lint", "prompts record",
    "prompts diff", "prompts history", "prompts blame", "prompts adopt", "prompts import",
    "prompts export", "prompts versions", "prompts drift", "release", "release status",
    "release promote", "release canary",
    "release rollback", "release log", "release owners",
)  # fmt: skip


def run(cwd: Path, *arguments: str) -> Done:
    """Type a command in a folder. However it ends, nobody sees a traceback."""
    done = subprocess.run(
        [*TRIMTAB, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=30
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr[-800:]
    return Done(done.returncode, done.stdout, done.stderr)


def assert_told(done: Done, code: int, *words: str) -> None:
    """It failed with `code`, and said on standard error what to do."""
    assert done.code == code, done.out + done.err
    for word in words:
        assert word in done.err, done.err


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has served forty requests of three users."""
    folder = tmp_path_factory.mktemp("used")
    with (
        running_fault_provider() as provider,
        running_gateway(folder, project_text(provider.base_url)) as gateway,
    ):
        for number in range(40):
            user = ("ann", "bob", "")[number % 3]
            assert gateway.chat(user=user, stream=number % 2 == 0).status == 200
    return folder


@pytest.fixture
def copy(used: Path, tmp_path: Path) -> Path:
    """The same, to be damaged."""
    return shutil.copytree(used, tmp_path / "copy")


# ------------------------------------------------------------------ the help, and what it loads


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(tmp_path: Path, command: str):
    done = typed(tmp_path, *command.split(), "--help")
    assert done.code == 0, done.err
    assert f"trimtab {command}" in done.out


def test_help_version_and_nonsense(tmp_path: Path):
    assert "Usage" in run(tmp_path, "--help").out
    assert run(tmp_path, "--version").out.startswith("trimtab ")
    assert_told(run(tmp_path, "fly"), 2, "fly")


def loaded_by(code: str) -> set[str]:
    """The top-level modules that some Python loads."""
    tell = f"import sys\n{code}\nsys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", tell], capture_output=True, text=True, check=True, timeout=30
    )
    return {name.partition(".")[0] for name in done.stderr.split()}


def test_importing_trimtab_loads_nothing_heavy():
    loaded = loaded_by("import trimtab")
    assert "trimtab" in loaded
    assert not loaded & set(HEAVY)


def test_help_loads_neither_prices_nor_routes():
    loaded = loaded_by(
        "from trimtab.cli import main\n"
        "sys.argv = ['trimtab', '--help']\n"
        "try: main()\nexcept SystemExit as end: assert not end.code"
    )
    assert "typer" in loaded
    assert not loaded & {"genai_prices", "starlette", "uvloop", "sqlite3", "numpy", "scipy"}


# ------------------------------------------------------------------ init, check, up


def test_from_nothing_to_a_gateway(tmp_path: Path):
    made = run(tmp_path, "init", "shop")
    assert made.code == 0
    assert "trimtab up" in made.out
    folder = tmp_path / "shop"
    assert "is valid" in run(folder, "check").out
    assert ".trimtab/" in (folder / ".gitignore").read_text()
    file = folder / "trimtab.toml"
    file.write_text(file.read_text().replace("port = 8080", "port = 0"))
    gateway = start_gateway(folder)
    try:
        models = gateway.request("/v1/models").json["data"]
        assert {model["id"] for model in models} >= {"fast", "mini", "smart", "support"}
    finally:
        gateway.process.send_signal(signal.SIGINT)  # Ctrl-C
        assert gateway.stop() == 0


def test_init_overwrites_nothing(tmp_path: Path):
    assert run(tmp_path, "init").code == 0
    before = (tmp_path / "trimtab.toml").read_text()
    assert_told(run(tmp_path, "init"), 2, "trimtab.toml is there already", "Choose another")
    assert (tmp_path / "trimtab.toml").read_text() == before


def test_init_where_a_file_stands(tmp_path: Path):
    (tmp_path / "shop").write_text("a file")
    assert_told(run(tmp_path, "init", "shop"), 2, "shop")


def test_check_names_file_line_and_remedy(tmp_path: Path):
    text = project_text("http://127.0.0.1:9/v1")
    (tmp_path / "trimtab.toml").write_text(text + "\n[server2]\nport = 1\n")
    done = run(tmp_path, "check")
    assert done.code == 1
    line = text.count("\n") + 2
    assert f"{tmp_path}/trimtab.toml:{line}" in done.out
    assert "server2" in done.out
    told = run(tmp_path, "check", "--json")
    assert told.code == 1
    assert json.loads(told.out)["ok"] is False
    assert_told(run(tmp_path, "up"), 2, f"trimtab.toml:{line}")


def test_check_without_a_project(tmp_path: Path):
    assert_told(run(tmp_path, "check"), 2, "trimtab init", str(tmp_path / "trimtab.toml"))


def test_check_finds_a_model_without_a_price(tmp_path: Path):
    text = project_text("http://127.0.0.1:9/v1") + '\n[models.dear]\nref = "fake:dear"\n'
    (tmp_path / "trimtab.toml").write_text(text)
    done = run(tmp_path, "check")
    assert done.code == 1
    assert "dear" in done.out
    assert "price" in done.out


@pytest.fixture
def unused(tmp_path: Path) -> Path:
    """A valid project that has served nothing."""
    (tmp_path / "trimtab.toml").write_text(project_text("http://127.0.0.1:9/v1"))
    return tmp_path


def test_up_where_the_port_is_taken(unused: Path):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        assert_told(run(unused, "up", "--port", port), 2, port, "--port")


def test_up_for_everyone_without_keys(unused: Path):
    assert_told(run(unused, "up", "--host", "0.0.0.0"), 2, "trimtab keys create")


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_up_on_a_port_that_cannot_be(unused: Path, port: str):
    process = subprocess.Popen(
        [*TRIMTAB, "up", "--port", port],
        cwd=unused,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "", "it serves"
        out, err = process.communicate(timeout=30)
        assert "Traceback" not in err, err
        assert_told(Done(process.returncode, out, err), 2, "port")
    finally:
        process.kill()
        process.communicate()


def test_up_with_a_host_that_does_not_exist(unused: Path):
    assert run(unused, "keys", "create", "web").code == 0
    assert_told(run(unused, "up", "--host", "no.such.host.invalid"), 2, "no.such.host.invalid")


# ------------------------------------------------------------------ keys


def test_the_life_of_a_key(unused: Path):
    assert "trimtab keys create" in run(unused, "keys", "list").out
    made = run(unused, "keys", "create", "web", "--team", "shop")
    assert made.code == 0
    secret = next(word for word in made.out.split() if word.startswith("tt-"))
    listed = run(unused, "keys", "list")
    assert "web" in listed.out
    assert secret not in listed.out
    assert secret.encode() not in (unused / ".trimtab" / "control.sqlite").read_bytes()
    assert_told(run(unused, "keys", "create", "web"), 2, "web", "Revoke it")
    assert run(unused, "keys", "revoke", secret[:10]).code == 0
    assert run(unused, "keys", "create", "web").code == 0  # the name is free again


def test_keys_as_json(unused: Path):
    made = run(unused, "keys", "create", "web", "--json").json
    assert made["secret"].startswith("tt-")
    (listed,) = run(unused, "keys", "list", "--json").json
    assert listed == made["key"]
    revoked = run(unused, "keys", "revoke", "web", "--json").json
    assert revoked["key_id"] == listed["key_id"]
    assert revoked["revoked_ns"] > listed["created_ns"]


def test_keys_used_wrongly(unused: Path):
    assert_told(run(unused, "keys", "revoke", "nobody"), 2, "nobody", "trimtab keys list")
    assert_told(run(unused, "keys", "create"), 2, "name")
    assert_told(run(unused, "keys", "list", "everything"), 2, "everything")


@pytest.mark.parametrize("name", ["", "   "])
def test_a_key_has_a_name(unused: Path, name: str):
    assert_told(run(unused, "keys", "create", name), 2, "name")


# ------------------------------------------------------------------ spend, latency


def test_spend_and_latency_as_tables(used: Path):
    spent = run(used, "spend", "users")
    assert spent.code == 0
    for word in ("ann", "bob", "(no user)", "40 requests"):
        assert word in spent.out
    waited = run(used, "latency", "--by", "user", "--since", "2h")
    assert waited.code == 0
    for word in ("ann", "bob", "P99.9", "first token"):
        assert word in waited.out


def test_spend_by_key(used: Path):
    told = run(used, "spend", "keys").out
    for word in ("(no key)", "40 requests", "100.0%"):
        assert word in told
    report = run(used, "spend", "keys", "--json").json
    users = run(used, "spend", "users", "--json").json
    assert report["cost_nanousd"] == users["cost_nanousd"] > 0
    assert [key["requests"] for key in report["keys"]] == [40]
    assert report["flagged"] == users["flagged"] == []
    assert 0 < users["concentration"]["top_1"] < users["concentration"]["top_5"] < 1
    assert users["concentration"]["count"] == 2


def test_prices_of_a_project(used: Path):
    shown = run(used, "spend", "prices").out
    for word in ("USD per million tokens", "fast (fake:gpt-test)", "0.4", "1.6", "project/"):
        assert word in shown
    (model,) = run(used, "spend", "prices", "fast", "--at", "2026-10-01", "--json").json["models"]
    assert model["lines"][0]["usd_per_mtok"] == {
        "input": "0.4",
        "cache_read": "0.1",
        "output": "1.6",
    }
    assert "0.1" in run(used, "spend", "prices", "openai:gpt-4.1-mini").out
    assert_told(run(used, "spend", "prices", "fst"), 2, "Did you mean fast?")
    assert_told(run(used, "spend", "prices", "--at", "soon"), 2, "2026-10-01T14:30")
    assert_told(run(used, "spend", "prices", "--at", "1969-01-01"), 2, "no moment")


def test_a_correction_stands_beside_what_was_charged(copy: Path):
    charged = run(copy, "spend", "users", "--json").json["cost_nanousd"]
    same = run(copy, "spend", "reprice", "--json").json
    assert (same["charged_nanousd"], same["difference_nanousd"]) == (charged, 0)
    file = copy / "trimtab.toml"
    file.write_text(file.read_text().replace("= 1.6", "= 3.2"))
    corrected = run(copy, "spend", "reprice", "--json").json
    assert corrected["charged_nanousd"] == charged
    assert corrected["difference_nanousd"] > 0
    assert corrected["set_id"] != same["set_id"]
    again = run(copy, "spend", "reprice")
    for word in ("+$", corrected["set_id"], "What was charged is unchanged"):
        assert word in again.out
    assert run(copy, "spend", "users", "--json").json["cost_nanousd"] == charged
    file.write_text(file.read_text().split("[models")[0])
    gone = run(copy, "spend", "reprice").out
    assert "have no price now and stay at" in gone
    assert "declares no model" in run(copy, "spend", "prices").out


def test_only_the_costliest_users(used: Path):
    everyone = run(used, "spend", "users", "--json", "--top", "0").json
    (first,) = run(used, "spend", "users", "--json", "--top", "1").json["users"]
    assert first == everyone["users"][0]
    told = run(used, "spend", "users", "--top", "1").out
    assert f"{len(everyone['users']) - 1} more users cost $" in told
    waited = run(used, "latency", "--by", "user", "--top", "1")
    assert first["user"] in waited.out
    assert "--top 0" in waited.out
    wrong = run(used, "spend", "users", "--top", "-1")
    assert wrong.code == 2
    assert "range x>=0" in wrong.err


def test_spend_and_latency_as_json(used: Path):
    report = run(used, "spend", "users", "--json").json
    assert report["requests"] == 40
    assert sum(user["cost_nanousd"] for user in report["users"]) == report["cost_nanousd"] > 0
    for by in ("total", "model", "route", "user"):
        rows = run(used, "latency", "--by", by, "--json").json
        assert sum(row["requests"] for row in rows) == 40


def test_the_ladder_of_a_route_that_needed_none(used: Path):
    told = run(used, "latency", "--ladder", "--by", "route").out
    for word in ("without the ladder", "as callers saw it", "first token", "1.00 attempts per"):
        assert word in told
    assert "The ladder" not in run(used, "latency").out
    asked = run(used, "latency", "--ladder", "--json").json
    assert asked["breakers"] == []
    [route] = asked["routes"]
    assert (route["inferences"], route["attempts"], route["served"]) == (40, 40, [])
    assert route["first"] == route["seen"]


def test_spend_and_latency_before_the_first_request(unused: Path):
    assert "No requests" in typed(unused, "spend", "users").out
    assert "No requests" in typed(unused, "latency").out
    assert typed(unused, "spend", "users", "--json").json["users"] == []
    assert typed(unused, "latency", "--json").json == []
    assert "No requests" in typed(unused, "latency", "--ladder").out
    assert typed(unused, "latency", "--ladder", "--json").json == {"breakers": [], "routes": []}


@pytest.mark.parametrize("command", [("spend", "users"), ("latency",)])
@pytest.mark.parametrize("since", ["3x", "0d", "-1h", ""])
def test_a_span_of_time_that_is_none(used: Path, command: tuple[str, ...], since: str):
    assert_told(typed(used, *command, "--since", since), 2, "30m, 24h, 7d or 4w")


@pytest.mark.parametrize("command", [("spend", "users"), ("latency",)])
def test_the_longest_span_of_time(used: Path, command: tuple[str, ...]):
    done = typed(used, *command, "--since", "99999w")
    assert done.code in {0, 2}, done.err


def test_spend_and_latency_used_wrongly(used: Path):
    assert_told(typed(used, "latency", "--by", "colour"), 2, "colour", "route")
    assert_told(typed(used, "latency", "--ladder", "--by", "user"), 2, "--ladder", "--by", "user")
    assert_told(typed(used, "latency", "--ladder", "--top", "3"), 2, "--ladder", "--top")
    assert_told(typed(used, "spend", "dogs"), 2, "dogs")


# ------------------------------------------------------------------ ledger


def test_a_ledger_that_is_whole(used: Path):
    done = run(used, "ledger", "verify")
    assert done.code == 0
    assert "40 intents, 40 settles" in done.out
    assert "whole" in done.out
    report = run(used, "ledger", "verify", "--json").json
    assert (report["entries"], report["unsettled"], report["findings"]) == (80, 0, [])


def test_a_flipped_byte_in_the_ledger(copy: Path):
    path = copy / ".trimtab" / "ledger.sqlite"
    content = bytearray(path.read_bytes())
    place = content.index(b'"cost_nanousd":') + len(b'"cost_nanousd":')
    content[place] ^= 1  # one digit of one amount
    path.write_bytes(content)
    done = run(copy, "ledger", "verify")
    assert done.code == 1
    assert "DAMAGED" in done.out
    told = run(copy, "ledger", "verify", "--json")
    assert told.code == 1
    report = json.loads(told.out)
    assert report["broken_links"] == 1
    assert report["findings"]


def test_rebuild_gives_the_same(copy: Path):
    before = run(copy, "spend", "users", "--json").json["users"]
    assert "40 events" in run(copy, "ledger", "rebuild").out
    assert run(copy, "spend", "users", "--json").json["users"] == before
    for path in (copy / ".trimtab").iterdir():
        if path.name.startswith(("events-", "rollups.")):
            path.unlink()
    assert run(copy, "ledger", "rebuild", "--json").json["events"] == 40
    assert run(copy, "spend", "users", "--json").json["users"] == before
    assert run(copy, "ledger", "verify").code == 0


def test_rebuild_heals_what_hangs_on_the_ledger(copy: Path):
    before = run(copy, "spend", "users", "--json").json["users"]
    (copy / ".trimtab" / "rollups.sqlite").write_bytes(b"no database" * 1_000)
    damaged = run(copy, "ledger", "verify")
    assert damaged.code == 1
    assert "rollups.sqlite" in damaged.out
    assert run(copy, "ledger", "rebuild").code == 0
    assert run(copy, "spend", "users", "--json").json["users"] == before
    assert run(copy, "ledger", "verify").code == 0


def test_rebuild_does_not_erase_what_a_lost_ledger_left(copy: Path):
    for path in (copy / ".trimtab").glob("ledger.sqlite*"):
        path.unlink()
    assert run(copy, "ledger", "verify").code == 1
    refused = run(copy, "ledger", "rebuild")
    assert refused.code == 1
    assert "backup" in refused.err
    assert run(copy, "spend", "users", "--json").json["users"]
    assert run(copy, "ledger", "rebuild", "--force").code == 0


def spoil_folder(folder: Path) -> None:
    (folder / ".trimtab").write_text("a file where the folder should be")


def spoil_ledger(folder: Path) -> None:
    (folder / ".trimtab").mkdir()
    (folder / ".trimtab" / "ledger.sqlite").write_bytes(b"no database" * 1_000)


@pytest.mark.parametrize("spoil", [spoil_folder, spoil_ledger])
@pytest.mark.parametrize(
    "command", ["ledger verify", "ledger rebuild", "spend users", "latency", "up --port 0"]
)
def test_a_data_folder_that_cannot_be_used(
    unused: Path, spoil: Callable[[Path], None], command: str
):
    spoil(unused)
    done = run(unused, *command.split())
    assert done.code == 1
    assert ".trimtab" in done.out + done.err


@pytest.mark.parametrize(
    "command",
    ["ledger verify", "ledger rebuild", "spend users", "spend prices", "spend reprice", "latency"],
)
def test_outside_of_any_project(tmp_path: Path, command: str):
    assert_told(typed(tmp_path, *command.split()), 2, "trimtab init")
    assert_told(typed(tmp_path, *command.split(), "--nonsense"), 2, "--nonsense")
