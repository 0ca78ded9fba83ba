"""What the routes say when they say no."""

from server.wire import Stage


def test_a_wrong_method_names_the_right_one(stage: Stage):
    reply = stage.gateway.request("/v1/chat/completions")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert reply.error["code"] == "method_not_allowed"
    reply = stage.gateway.request("/v1/models", b"{}")
    assert reply.status == 405
    assert "GET" in reply.headers["allow"]
    assert "POST is not allowed" in reply.error["message"]
