"""A package of somebody else's, installed, brings parts like the built-in ones."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evals.evaluators.entries import put_first
from evals.evaluators.samples import nobody
from harness import running_gateway
from trimtab.datasets.case import Case
from trimtab.datasets.suite import EvaluatorUse, GatePolicy, Suite
from trimtab.errors import ConfigError, UsageError
from trimtab.evals.evaluator import Sample
from trimtab.evals.registry import load_evaluators
from trimtab.plugins import PROVIDERS, load_plugin, plugin_names

CASE = Case(id="one")
PROJECT = """
[server]
port = 0
[providers.acme]
[models.fast]
ref = "acme:big"
price = {input_usd_per_mtok = 1, output_usd_per_mtok = 1}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has the package."""
    package = tmp_path_factory.mktemp("build") / "package"  # building leaves files behind
    shutil.copytree(Path(__file__).parent / "example", package)
    installed = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    flags = ["--no-deps", "--no-index", "--no-build-isolation", "--target", str(installed)]
    subprocess.run([*pip, *flags, str(package)], check=True)
    return installed


def test_a_third_party_provider_is_taken_up(installed: Path, project_folder: Path):
    with running_gateway(
        project_folder, PROJECT, environ={"PYTHONPATH": str(installed)}
    ) as gateway:
        reply = gateway.chat()
    assert (reply.status, reply.error["code"]) == (502, "provider_unreachable")
    assert "127.0.0.1:9" in reply.error["message"]


def suite(folder: Path, **options: object) -> Suite:
    use = EvaluatorUse(use="acme_shouting", name="tone", options=options, line=7)
    return Suite(
        name="triage", folder=folder, hash="", evaluators=[use], gate=GatePolicy(), cases=[CASE]
    )


def test_a_third_party_evaluator_is_taken_up(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    put_first(installed, monkeypatch)
    known = load_evaluators(suite(tmp_path, most=0.5), schema_declared=False)
    (tone,) = [one for one in known.evaluators if not one.automatic]
    assert (tone.name, tone.use, tone.metric) == ("tone", "acme_shouting", "tone")
    answer = Sample(case=CASE, prompt_text="", text="STOP SHOUTING at me")
    score = asyncio.run(tone.evaluator.evaluate(answer, nobody))
    assert (score.value, score.label) == (0, "shouting")
    with pytest.raises(ConfigError, match=r"suite\.toml:7: acme_shouting takes one option, `most`"):
        load_evaluators(suite(tmp_path, mots=0.5), schema_declared=False)


def test_the_built_in_providers_come_through_the_same_door():
    assert {"openai", "local"} <= set(plugin_names(PROVIDERS))


def test_what_is_not_there_or_not_of_the_kind_is_told():
    with pytest.raises(UsageError, match=r"On offer: .*openai"):
        load_plugin(PROVIDERS, "nope", lambda _: True)
    with pytest.raises(UsageError, match=r"docs/plugins\.md"):
        load_plugin(PROVIDERS, "openai", lambda _: False)
