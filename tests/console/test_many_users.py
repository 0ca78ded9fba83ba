"""More users than a page shows: all can be reached, and what is left out is said."""

import re
from collections.abc import Generator

import pytest

from harness import Gateway, project_text, running_gateway
from trimtab.testing import running_fault_provider

USERS = 105


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    with running_fault_provider() as provider:
        text = project_text(provider.base_url)
        with running_gateway(tmp_path_factory.mktemp("many"), text) as running:
            for number in range(USERS):
                assert running.chat(user=f"user-{number:03}").status == 200
            yield running


def users_on(gateway: Gateway, path: str) -> tuple[list[str], str]:
    reply = gateway.request(path)
    assert reply.status == 200
    page = reply.body.decode()
    return re.findall(r">(user-\d\d\d)<", page), page


def test_every_user_is_on_one_page(gateway: Gateway):
    path, seen = "/console/users?range=1h", list[str]()
    while path:
        users, page = users_on(gateway, path)
        seen += users
        more = re.search(r'href="([^"]*)">More users<', page)
        path = more[1].replace("&amp;", "&").replace("&#x2f;", "/") if more else ""
    assert sorted(seen) == [f"user-{number:03}" for number in range(USERS)]


def test_another_order_says_of_whom_it_is(gateway: Gateway):
    users, page = users_on(gateway, "/console/users?range=1h&sort=requests")
    assert len(users) == 40
    assert "In this order stand the 100 costliest users." in page


def test_latency_by_user_says_of_whom_it_is(gateway: Gateway):
    users, page = users_on(gateway, "/console/latency?range=1h&by=user")
    assert len(set(users)) == 50
    assert "These are the 50 costliest users" in page


def test_a_project_of_few_models_leaves_nothing_out(gateway: Gateway):
    _, page = users_on(gateway, "/console/latency?range=1h&by=model")
    assert "costliest" not in page
