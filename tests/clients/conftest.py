"""One gateway for all tests of the official clients."""

from collections.abc import Iterator

import pytest

from clients.service import Service, running


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A gateway with a key in front of a scripted provider."""
    with running(tmp_path_factory.mktemp("clients")) as service:
        yield service
