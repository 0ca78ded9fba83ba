"""One gateway for all tests of the official clients."""

from collections.abc import Iterator

import pytest
from openai import OpenAI

from clients.service import Service, running


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A gateway with a key in front of a scripted provider."""
    with running(tmp_path_factory.mktemp("clients")) as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[OpenAI]:
    """The official client, which does not try again by itself."""
    with OpenAI(base_url=service.gateway.url, api_key=service.key, max_retries=0) as client:
        yield client
