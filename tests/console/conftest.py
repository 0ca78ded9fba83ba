"""A gateway without keys and one with, each with one inference."""

from collections.abc import Generator
from typing import NamedTuple

import pytest

from harness import Gateway, project_text, running_gateway, trimtab
from trimtab.testing import running_fault_provider


class Keyed(NamedTuple):
    """A gateway with an application's key and a person's."""

    gateway: Gateway
    application: str
    person: str


@pytest.fixture(scope="package")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    folder = tmp_path_factory.mktemp("console")
    recording = '[recording]\nbodies = "full"\n'
    with (
        running_fault_provider() as provider,
        running_gateway(folder, project_text(provider.base_url, extra=recording)) as found,
    ):
        assert found.chat(user="ana").status == 200
        yield found
        assert not [line for line in found.output if "Traceback" in line or "defect" in line]


@pytest.fixture(scope="package")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Generator[Keyed]:
    folder = tmp_path_factory.mktemp("console-keyed")
    with (
        running_fault_provider() as provider,
        running_gateway(folder, project_text(provider.base_url)) as found,
    ):
        application = create(found, "app")
        person = create(found, "person", "--console")
        yield Keyed(found, application, person)
        said = "".join(found.output)
        assert application not in said
        assert person not in said


def create(gateway: Gateway, *arguments: str) -> str:
    """The secret of a new key."""
    made = trimtab("keys", "create", *arguments, folder=gateway.folder)
    assert made.returncode == 0, made.stderr
    return next(word for word in made.stdout.split() if word.startswith("tt-"))
