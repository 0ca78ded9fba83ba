"""CPU and memory of real processes."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from bench.accounting import core_busy_us, cpu_us, memory_mb, process_tree, waited_us

_BURN = """
import os, subprocess, sys, threading, time
def burn(s):
    until = time.thread_time() + s
    while time.thread_time() < until: pass
"""
_CHILD = "import time\nend = time.process_time() + .1\nwhile time.process_time() < end: pass"
_WAIT = "\nprint('done', flush=True); sys.stdin.read()"


@contextmanager
def child(script: str) -> Generator[int]:
    """A process that has printed its line and waits; its id."""
    command = [sys.executable, "-c", _BURN + script + _WAIT]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        yield process.pid
        process.communicate()


def idle_us() -> float:
    with child("") as pid:
        return cpu_us(pid)


@pytest.mark.parametrize(
    ("script", "burnt_us"),
    [
        ("burn(0.2)", 200_000),
        ("thread = threading.Thread(target=burn, args=[0.2]); thread.start(); thread.join()", 2e5),
        (f"subprocess.run([sys.executable, '-S', '-c', {_CHILD!r}], check=True)", 100_000),
    ],
    ids=["its own", "of a thread that has ended", "of a child that has ended"],
)
def test_cpu_of_a_process_is_what_it_burnt(script: str, burnt_us: float):
    base_us = idle_us()
    with child(script) as pid:
        assert burnt_us - 25_000 < cpu_us(pid) - base_us < burnt_us + 60_000


def test_cpu_of_running_children_counts_and_no_time_is_counted_twice():
    script = "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    with child(script + "print('done', flush=True); sys.stdin.readline(); child.kill()") as pid:
        assert len(process_tree(pid)) == 2
        before_us = cpu_us(pid)
        assert cpu_us(pid) - before_us < 20_000
        assert memory_mb(pid) > 5


def test_what_a_core_did_and_what_it_let_wait_only_grows():
    assert 0 < core_busy_us(0) <= core_busy_us(0)
    assert 0 <= waited_us() <= waited_us()
