"""One inference through real sockets: what the caller sees, and what goes on record."""

import json

import pytest
from harness import project_text, running_gateway, wait_until

from trimtab.testing import Behaviour, running_fault_provider


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with running_fault_provider() as provider:
        folder = tmp_path_factory.mktemp("project")
        with running_gateway(folder, project_text(provider.base_url)) as gateway:
            gateway.provider = provider
            yield gateway


def last_event(gateway, request_id):
    return wait_until(lambda: gateway.reader().event(request_id))


def test_a_whole_answer(gateway):
    reply = gateway.chat(user="ann")
    assert reply.status == 200
    sent = gateway.provider.calls[-1]
    assert json.loads(sent.body)["model"] == "gpt-test"
    usage = reply.json["usage"]
    cost = usage["prompt_tokens"] * 400 + usage["completion_tokens"] * 1600
    assert reply.headers["x-trimtab-cost-nanousd"] == str(cost)
    event = last_event(gateway, reply.headers["x-request-id"])
    assert (event.user, event.outcome, event.cost_nanousd) == ("ann", "ok", cost)
    assert event.usage_source == "reported"
