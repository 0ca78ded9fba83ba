"""A gateway that has a defect, and one whose clock is set back: nobody waits for ever."""

import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from http.client import IncompleteRead
from pathlib import Path

import pytest

from harness import Gateway, project_text, wait_until
from trimtab.archive import verify_store
from trimtab.testing import Behaviour, RunningFaultProvider, Script, running_fault_provider

ROOT = Path(__file__).parents[2]


@contextmanager
def gateway_of(module: str, folder: Path, text: str) -> Generator[Gateway]:
    (folder / "trimtab.toml").write_text(text)
    process = subprocess.Popen(
        [sys.executable, "-m", module, "--project", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    gateway = Gateway(folder, process, process.stdout.readline().strip())
    try:
        yield gateway
    except BaseException:
        gateway.kill()
        raise
    assert gateway.stop() == 0


@pytest.fixture
def provider() -> Generator[RunningFaultProvider]:
    script = Script(named={"late": (Behaviour(first_token_after_s=20),)})
    with running_fault_provider(script) as running:
        yield running


def test_a_defect_while_a_settle_is_made_ends_the_inference_and_no_other(
    project_folder: Path, provider: RunningFaultProvider
):
    text = project_text(provider.base_url)
    with gateway_of("tests.gateway.defective", project_folder, text) as gateway:
        reply = gateway.chat()
        assert (reply.status, reply.error["code"]) == (500, "internal_error")
        assert "a defect" not in reply.error["message"]
        assert gateway.chat().status == 200
        wait_until(lambda: verify_store(project_folder / "trimtab.toml").in_flight == 0)
    assert verify_store(project_folder / "trimtab.toml").ok


def test_a_defect_after_a_stream_has_begun_breaks_it_off(
    project_folder: Path, provider: RunningFaultProvider
):
    text = project_text(provider.base_url)
    with gateway_of("tests.gateway.defective", project_folder, text) as gateway:
        with pytest.raises(IncompleteRead) as caught:
            gateway.chat(stream=True)
        assert b"[DONE]" not in caught.value.partial
        assert gateway.chat(stream=True).status == 200
    assert verify_store(project_folder / "trimtab.toml").ok


def test_t27_a_clock_that_is_set_back_moves_no_limit_and_loses_no_record(
    project_folder: Path, provider: RunningFaultProvider
):
    extra = '[models.late]\nref = "fake:fault:late"\nprice_as = "openai:gpt-4.1-mini"\n'
    text = project_text(provider.base_url, timeouts="ttft_s = 0.4, total_s = 5", extra=extra)
    with gateway_of("trimtab.testing.scorecard.stepping", project_folder, text) as gateway:
        before = gateway.chat()
        gateway.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: gateway.chat().status == 200)
        reply = gateway.chat(model="late", stream=True)
        assert (reply.status, reply.error["code"]) == (504, "provider_timeout")
        event = wait_until(lambda: gateway.reader().event(reply.headers["x-request-id"]))
        assert (event.latency_us, event.ttft_us) == (400_000, 400_000)
        first = wait_until(lambda: gateway.reader().event(before.headers["x-request-id"]))
        assert first.started_ns > event.started_ns  # the clock did step
        assert min(first.latency_us, first.cost_nanousd) > 0
    assert verify_store(project_folder / "trimtab.toml").ok
