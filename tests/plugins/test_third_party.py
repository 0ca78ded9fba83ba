"""A package of somebody else's, installed, is a provider like the built-in ones."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import running_gateway
from trimtab.errors import UsageError
from trimtab.plugins import PROVIDERS, load_plugin, plugin_names

PROJECT = """
[server]
port = 0
[providers.acme]
[models.fast]
ref = "acme:big"
price = {input_usd_per_mtok = 1, output_usd_per_mtok = 1}
"""


def test_a_third_party_provider_is_taken_up(tmp_path: Path, project_folder: Path):
    package = tmp_path / "package"  # building leaves files behind
    shutil.copytree(Path(__file__).parent / "example", package)
    installed = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    flags = ["--no-deps", "--no-index", "--no-build-isolation", "--target", str(installed)]
    subprocess.run([*pip, *flags, str(package)], check=True)
    with running_gateway(
        project_folder, PROJECT, environ={"PYTHONPATH": str(installed)}
    ) as gateway:
        reply = gateway.chat()
    assert (reply.status, reply.error["code"]) == (502, "provider_unreachable")
    assert "127.0.0.1:9" in reply.error["message"]


def test_the_built_in_providers_come_through_the_same_door():
    assert {"openai", "local"} <= set(plugin_names(PROVIDERS))


def test_what_is_not_there_or_not_of_the_kind_is_told():
    with pytest.raises(UsageError, match=r"On offer: .*openai"):
        load_plugin(PROVIDERS, "nope", lambda _: True)
    with pytest.raises(UsageError, match=r"docs/plugins\.md"):
        load_plugin(PROVIDERS, "openai", lambda _: False)
