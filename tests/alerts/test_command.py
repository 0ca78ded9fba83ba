"""Alerts as a user meets them: the project file, the commands, a gateway that dies."""

import json
import threading
from contextlib import closing
from pathlib import Path

import pytest

from alerts.receiver import SECRET, Planned, free_port, running_receiver
from alerts.samples import CLOCK, alert, deliveries, states
from config.projects import findings, load
from harness import project_text, running_gateway, start_gateway, trimtab, wait_until
from trimtab.alerts.outbox_file import OutboxFile
from trimtab.alerts.records import Delivery
from trimtab.config.environment import environment

PROVIDER = "http://127.0.0.1:9/v1"
ENVIRON = {"OPS_URL": "https://example.org/very-secret", "OPS_SECRET": SECRET}


def webhooks(**tables: str) -> str:
    return "".join(f"[alerts.webhooks.{name}]\n{text}\n" for name, text in tables.items())


# ------------------------------------------------------------------ the project file


def test_addresses_and_secrets_come_from_the_environment(tmp_path: Path):
    text = webhooks(ops='url_env = "OPS_URL"\nsecret_env = "OPS_SECRET"\nkinds = ["budget"]')
    project = load(tmp_path, text, **ENVIRON)
    ops = project.alerts.webhooks["ops"]
    assert (ops.address and ops.address.reveal()) == ENVIRON["OPS_URL"]
    assert (ops.secret and ops.secret.reveal()) == SECRET
    assert (ops.wants("budget"), ops.wants("outlier")) == (True, False)
    assert project.warnings == ()
    for shown in (repr(project), str(ops)):
        assert "very-secret" not in shown
        assert SECRET not in shown


def test_without_a_table_the_log_is_told(tmp_path: Path):
    assert load(tmp_path, "[server]\nport = 1\n").alerts.log == "redacted"


@pytest.mark.parametrize(
    ("environ", "line", "word"),
    [
        ({"OPS_SECRET": SECRET}, 2, "OPS_URL is not set"),
        ({"OPS_URL": "https://example.org/very-secret"}, 3, "OPS_SECRET is not set"),
        (ENVIRON | {"OPS_URL": "very-secret"}, 2, "OPS_URL cannot be used: it is not an http"),
        (ENVIRON | {"OPS_SECRET": "very-secret"}, 3, "does not hold a secret of the form whsec_"),
    ],
)
def test_a_variable_that_is_missing_or_wrong_is_a_warning(
    tmp_path: Path, environ: dict[str, str], line: int, word: str
):
    text = webhooks(ops='url_env = "OPS_URL"\nsecret_env = "OPS_SECRET"')
    project = load(tmp_path, text, **environ)
    (warning,) = project.warnings
    assert f"trimtab.toml:{line} (alerts.webhooks.ops." in warning.place
    assert word in warning.problem
    assert "very-secret" not in str(warning)
    assert project.alerts.webhooks["ops"].problem == warning.problem


@pytest.mark.parametrize(
    ("text", "line", "problem", "remedy"),
    [
        (webhooks(ops=""), 1, "this webhook has no address", "url_env"),
        (webhooks(ops='url = ""'), 1, "this webhook has no address", "url_env"),
        (webhooks(ops='url = "https://a"\nurl_env = "A"'), 3, "exclude each other", "Remove one"),
        (webhooks(ops='url = "very-secret"'), 2, "not an http:// or https:// URL", "Correct it"),
        (webhooks(ops="url = 5"), 2, "the value is not valid", "text in quotes"),
        (webhooks(ops='url = "http://a"\nsecret_env = "whsec_very-secret+"'), 3,
         "the value is not valid", "the name of an environment variable"),
        (webhooks(ops='url = "http://a"\nkinds = ["bugdet"]'), 3, "is not valid", "list of names"),
        (webhooks(ops='url = "http://a"\nca_file = "no.pem"'), 3, "no file at", "relative"),
        (webhooks(**{'"o p"': 'url = "http://a"'}), 1, "'o p' cannot be a name", "Use letters"),
        ('[alerts]\nlog = "all"', 2, "'all' is not valid", '"full" or "off" or "redacted"'),
        ("[alerts]\nwebhooks = 3", 2, "expected tables", "[alerts.webhooks.NAME]"),
    ],
)  # fmt: skip
def test_every_mistake_is_found_at_its_line(
    tmp_path: Path, text: str, line: int, problem: str, remedy: str
):
    (finding,) = findings(tmp_path, text)
    assert f"trimtab.toml:{line} (" in finding.place
    assert problem in finding.problem
    assert remedy in finding.remedy
    assert "very-secret" not in str(finding)


# ------------------------------------------------------------------ the commands


def test_a_test_alert_tells_what_the_receiver_answers(tmp_path: Path):
    with running_receiver() as receiver:
        text = webhooks(ops=f'url = "{receiver.url}"', pager=f'url = "{receiver.url}"')
        (tmp_path / "trimtab.toml").write_text(project_text(PROVIDER, extra=text))
        receiver.plan = [Planned(200, body=b"thank you"), Planned(401, body=b"who\nare you?")]
        done = trimtab("alerts", "test", folder=tmp_path)
        assert done.returncode == 1, done.stderr
        assert "ops: took it (200: thank you)" in done.stdout
        assert "pager: it answered 401 (401: who are you?)" in done.stdout
        one = trimtab("alerts", "test", "pager", "--json", folder=tmp_path)
        assert one.returncode == 0
        assert json.loads(one.stdout) == [
            {"webhook": "pager", "ok": True, "status": 204, "problem": "", "said": ""}
        ]
        assert {request.json["type"] for request in receiver.requests} == {"alert.test"}
        assert not (tmp_path / ".trimtab" / "alerts.sqlite").exists()


def test_what_cannot_be_tested(tmp_path: Path):
    file = tmp_path / "trimtab.toml"
    file.write_text(project_text(PROVIDER))
    done = trimtab("alerts", "test", folder=tmp_path)
    assert (done.returncode, "[alerts.webhooks.ops]" in done.stderr) == (2, True)
    file.write_text(project_text(PROVIDER, extra=webhooks(ops='url_env = "NOT_SET_ANYWHERE"')))
    done = trimtab("alerts", "test", "pager", folder=tmp_path)
    assert (done.returncode, "no webhook 'pager'. It has: ops" in done.stderr) == (2, True)
    done = trimtab("alerts", "test", folder=tmp_path)
    assert done.returncode == 1
    assert "NOT_SET_ANYWHERE is not set" in done.stdout


def test_the_list_shows_what_became_of_each(tmp_path: Path):
    (tmp_path / "trimtab.toml").write_text(project_text(PROVIDER))
    assert "No alerts yet" in trimtab("alerts", "list", folder=tmp_path).stdout
    with closing(OutboxFile(tmp_path / ".trimtab", CLOCK)) as file:
        file.add([alert(message="[red]first[/red]\nline")], lambda _: ["ops", "pager"])
        file.add([alert(f"key {number}") for number in range(25)], lambda _: [])
        file.give_up_overdue(CLOCK.wall_ns() + 1, {"ops": "no URL", "pager": ""})
    shown = trimtab("alerts", "list", "--top", "0", folder=tmp_path).stdout
    assert "ops (given up after 0: no URL), pager (waiting, 0 tries)" in shown
    assert "[red]first[/red] line" in shown
    assert "nobody" in shown
    short = trimtab("alerts", "list", folder=tmp_path).stdout
    assert short.count("nobody") == 20
    with closing(OutboxFile(tmp_path / ".trimtab", CLOCK)) as file:
        due = file.due("pager")
        assert due is not None
        done = Delivery(webhook="pager", state="delivered", tries=1, status=200, problem="",
                        next_try_ns=0, ended_ns=1)  # fmt: skip
        file.settle(due.number, done)
    shown = trimtab("alerts", "list", "--top", "0", folder=tmp_path).stdout
    assert "no URL), pager (delivered)" in shown
    found = json.loads(trimtab("alerts", "list", "--json", folder=tmp_path).stdout)
    assert len(found) == 26
    assert found[-1]["alert"]["key"] == alert().key
    assert [one["state"] for one in found[-1]["deliveries"]] == ["given_up", "delivered"]


# ------------------------------------------------------------------ a gateway


def test_a_gateway_that_was_killed_delivers_after_its_restart(tmp_path: Path):
    port = free_port()
    text = webhooks(ops=f'url = "http://127.0.0.1:{port}/hook"\nsecret_env = "OPS_SECRET"')
    (tmp_path / "trimtab.toml").write_text(project_text(PROVIDER, extra=text))
    environ = {**environment(), "OPS_SECRET": SECRET}
    gateway = start_gateway(tmp_path, environ=environ)
    folder = tmp_path / ".trimtab"
    with closing(OutboxFile(folder, CLOCK)) as file:
        file.add([alert()], lambda _: ["ops"])
    wait_until(lambda: [one.tries > 0 for one in deliveries(folder)] == [True])
    gateway.kill()
    assert states(folder) == ["waiting"]
    with running_receiver(port) as receiver:
        gateway = start_gateway(tmp_path, environ=environ)
        wait_until(lambda: states(folder) == ["delivered"])
        assert receiver.keys() == [alert().key]
        metrics = gateway.request("/metrics").body.decode()
        assert 'trimtab_alerts_total{kind="budget",state="delivered"} 1.0' in metrics
        assert gateway.stop() == 0
        assert not any("ana" in line or str(port) in line for line in gateway.output[3:])


def test_a_running_gateway_takes_up_a_webhook(tmp_path: Path):
    with running_receiver() as receiver, running_gateway(tmp_path, project_text(PROVIDER)):
        text = webhooks(ops=f'url = "{receiver.url}"')
        with closing(OutboxFile(tmp_path / ".trimtab", CLOCK)) as file:
            file.add([alert()], lambda _: ["ops"])
        (tmp_path / "trimtab.toml").write_text(project_text(PROVIDER, extra=text))
        wait_until(lambda: receiver.keys() == [alert().key])


def test_a_slow_receiver_does_not_hold_the_end_up(tmp_path: Path):
    never = threading.Event()
    with running_receiver() as receiver:
        receiver.usual = Planned(delay=never)
        text = webhooks(ops=f'url = "{receiver.url}"')
        (tmp_path / "trimtab.toml").write_text(project_text(PROVIDER, extra=text))
        gateway = start_gateway(tmp_path)
        with closing(OutboxFile(tmp_path / ".trimtab", CLOCK)) as file:
            file.add([alert()], lambda _: ["ops"])
        wait_until(lambda: receiver.requests)
        assert gateway.stop() == 0
        never.set()
    assert states(tmp_path / ".trimtab") == ["waiting"]
