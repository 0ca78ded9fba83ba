"""Contenders as processes: nothing outlives the block, and what went wrong is said."""

import os
import socket
from pathlib import Path

import pytest
from bench.accounting import process_tree
from bench.contenders import CONTENDERS, Contender
from bench.processes import BenchError, free_port, launched, prepared

from harness import wait_until

CORE = min(os.sched_getaffinity(0))
FORKS = "import subprocess, sys; subprocess.run(['sleep', '60'])"


def contender(script: str) -> Contender:
    return Contender("Fake", "", lambda: "1", f'$python -c "{script}"')


def test_the_whole_tree_is_pinned_and_ends(tmp_path: Path):
    with launched(prepared(contender(FORKS), tmp_path / "x", provider=1), CORE) as running:
        wait_until(lambda: len(process_tree(running.pid)) == 2)
        tree = process_tree(running.pid)
        assert {frozenset(os.sched_getaffinity(pid)) for pid in tree} == {frozenset({CORE})}
        running.check_alive()
        assert running.cpu_us() > 0
    wait_until(lambda: not process_tree(running.pid))  # also of what init has to collect


def test_one_that_ended_is_told_with_its_last_words(tmp_path: Path):
    script = "import sys; sys.exit('no such option')"
    with launched(prepared(contender(script), tmp_path / "x", provider=1), CORE) as running:
        wait_until(lambda: not running.alive())
        with pytest.raises(BenchError, match=r"exit code 1[^$]*no such option"):
            running.check_alive()


def test_a_port_that_is_taken_is_told(tmp_path: Path):
    launch = prepared(contender(FORKS), tmp_path / "x", provider=1)
    with (
        socket.create_server(("127.0.0.1", launch.target.port)),
        pytest.raises(BenchError, match="is taken"),
        launched(launch, CORE),
    ):
        pass


def test_a_command_that_does_not_exist_is_told(tmp_path: Path):
    absent = Contender("Fake", "", lambda: "1", "no-such-program")
    launch = prepared(absent, tmp_path / "x", provider=1)
    with pytest.raises(BenchError, match="no-such-program"), launched(launch, CORE):
        pass


def test_files_and_headers_get_their_ports(tmp_path: Path):
    one = contender("pass")._replace(files={"a.conf": "$port $provider"}, headers=("x: $provider",))
    launch = prepared(one, tmp_path / "x", provider=7)
    assert (tmp_path / "x/a.conf").read_text() == f"{launch.target.port} 7"
    assert launch.target.headers == ("x: 7",)


def test_every_contender_is_shown_with_templates_that_can_be_filled():
    assert len({contender.name for contender in CONTENDERS}) == len(CONTENDERS)
    assert free_port() > 0
