"""One gateway for the whole folder, between a scripted provider and a raw one."""

from collections.abc import Generator

import pytest

from harness import NO_BREAKERS, PRICE, running_gateway
from server.wire import RawServer, Stage
from trimtab.archive import verify_store
from trimtab.testing import FAULTS, Behaviour, Event, Script, running_fault_provider

# Names of behaviours of the fault provider beside the shipped ones.
NAMED = {
    "slow-whole": (Behaviour(headers_after_s=30),),
    "slow-stream": (Behaviour(tokens=10_000, token_every_s=0.02),),
    "silent-stream": (Behaviour(tokens=10, stall_after_tokens=3, stall_s=30),),
    "leaky": (
        Behaviour(status=401, error={"message": "bad key sk-secret", "type": "x", "code": None}),
    ),
    "mid-error": (Behaviour(events=(Event(at=5, data={"error": {"message": "m", "code": "c"}}),)),),
}
BODY_LIMIT = 100_000


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    folder = tmp_path_factory.mktemp("data-plane")
    raw = RawServer()
    with running_fault_provider(Script(named=NAMED)) as provider:
        names = (*NAMED, *FAULTS)
        models = "".join(
            f'[models."{name}"]\nref = "fake:fault:{name}"\nprice = {PRICE}\n' for name in names
        )
        text = f"""
[server]
port = 0
max_body_bytes = {BODY_LIMIT}
drain_s = 1
[providers.fake]
kind = "openai"
base_url = "{provider.base_url}"
[providers.raw]
kind = "openai"
base_url = "http://127.0.0.1:{raw.port}/v1"
[providers.refused]
kind = "openai"
base_url = "http://127.0.0.1:1/v1"
[providers.nowhere]
kind = "openai"
base_url = "http://no-such-host.invalid/v1"
[models.fast]
ref = "fake:healthy"
price = {PRICE}
[models.raw]
ref = "raw:raw"
price = {PRICE}
[models.refused]
ref = "refused:m"
price = {PRICE}
[models.nowhere]
ref = "nowhere:m"
price = {PRICE}
{models}
[routes.default]
timeouts = {{total_s = 20, idle_s = 8, ttft_s = 8}}
retries = 0
{NO_BREAKERS}
"""
        with running_gateway(folder, text) as gateway:
            yield Stage(gateway, provider, raw)
        report = verify_store(folder / "trimtab.toml")
        assert report.ok, report.findings
        assert (report.unsettled, report.in_flight) == (0, 0)
    raw.close()
