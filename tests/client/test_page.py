"""The page on the client: its examples run, and its figures are those of the code."""

import re
from pathlib import Path

import pytest

import trimtab
from client.stage import stage, write_triage
from trimtab.client.core import FRESH_S, TIMEOUT_S
from trimtab.client.failures import AWAY
from trimtab.client.settings import DEFAULT_BASE_URL
from trimtab.client.transport import _CONNECT_S
from trimtab.errors import REPLIES

PAGE = (Path(__file__).parents[2] / "docs" / "client.md").read_text(encoding="utf-8")


def test_the_examples_run(
    project_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    write_triage(project_folder)
    fences = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(fences) == 6
    names: dict[str, object] = {}
    with stage(project_folder) as on:
        monkeypatch.chdir(tmp_path)
        for code in fences:
            assert DEFAULT_BASE_URL in code
            text = code.replace(DEFAULT_BASE_URL, on.gateway.url)
            exec(text.replace("https://api.openai.com/v1", on.provider.base_url), names)
    shown = capsys.readouterr().out
    assert "v1-draft fault:main" in shown
    assert "You route tickets" in shown
    assert "`ticket` is missing" in shown
    assert len(list((tmp_path / "prompts-cache").iterdir())) == 1


def test_the_figures_are_those_of_the_code():
    page = " ".join(PAGE.split())
    assert f"For `fresh_s` ({FRESH_S:g} seconds)" in page
    assert f"`timeout_s` ({TIMEOUT_S:g} s)" in page
    assert f"no connection within {_CONNECT_S:g} s" in page
    for cls in AWAY:
        if cls in REPLIES and REPLIES[cls].code not in {"store_error", "ledger_damaged"}:
            assert f"`{REPLIES[cls].code}`" in page
    for name in ("GatewayUnreachable", "GatewayGarbage", "AnswerTimeout"):
        assert f"`trimtab.{name}`" in page
        assert name in trimtab.__all__
