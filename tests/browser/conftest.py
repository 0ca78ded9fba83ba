"""One gateway with a history for all pages, one browser for each file of tests."""

from collections.abc import Generator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, sync_playwright

from browser.stage import SCRIPT, Watched, chromium, make_history, open_context, project
from harness import Gateway, running_gateway, trimtab
from trimtab.testing import running_fault_provider


class Shown(NamedTuple):
    """A gateway, and the ids of its remarkable inferences."""

    gateway: Gateway
    ids: dict[str, str]

    @property
    def url(self) -> str:
        return self.gateway.url.removesuffix("/v1")


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Generator[Shown]:
    folder = tmp_path_factory.mktemp("shown")
    with (
        running_fault_provider(SCRIPT) as provider,
        running_gateway(folder, project(provider.base_url)) as gateway,
    ):
        yield Shown(gateway, make_history(gateway))
        assert not [line for line in gateway.output if "Traceback" in line or "defect" in line]


class Keyed(NamedTuple):
    """A gateway with an application's key and a person's."""

    gateway: Gateway
    application: str
    person: str

    @property
    def url(self) -> str:
        return self.gateway.url.removesuffix("/v1")


@pytest.fixture(scope="session")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Generator[Keyed]:
    folder = tmp_path_factory.mktemp("keyed")
    with (
        running_fault_provider(SCRIPT) as provider,
        running_gateway(folder, project(provider.base_url)) as gateway,
    ):
        found = Keyed(gateway, create(gateway, "app"), create(gateway, "person", "--console"))
        headers = {"Authorization": f"Bearer {found.application}"}
        assert gateway.chat(user="ana", headers=headers).status == 200
        yield found
        said = "".join(gateway.output)
        assert found.application not in said
        assert found.person not in said


def create(gateway: Gateway, *arguments: str) -> str:
    """The secret of a new key."""
    made = trimtab("keys", "create", *arguments, folder=gateway.folder)
    return next(word for word in made.stdout.split() if word.startswith("tt-"))


# Of a module, not of the session: Playwright keeps an event loop running in this thread, which
# tests of other files could not stand.
@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with sync_playwright() as playwright:
        # Without a sandbox, because the tests may run as root; they only visit our own pages.
        found = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def watched(browser: Browser, shown: Shown) -> Generator[Watched]:
    """A page on the gateway with a history; nothing odd may happen in it."""
    with open_context(browser) as context:
        found = Watched(context, shown.url)
        yield found
        found.check()
