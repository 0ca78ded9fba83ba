"""Switches for all tests: no network but loopback."""

import ipaddress
import sys

import pytest

_LOCAL_NAMES = {"localhost", "", None}


def _refuse_outside(event, args):
    if event != "socket.connect" or not isinstance(args[1], tuple):
        return
    host = args[1][0]
    if host in _LOCAL_NAMES or ipaddress.ip_address(host.partition("%")[0]).is_loopback:
        return
    raise RuntimeError(f"a test tried to reach {host}; tests may only use this machine")


sys.addaudithook(_refuse_outside)


@pytest.fixture
def project_folder(tmp_path):
    """An empty folder for a project."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder
