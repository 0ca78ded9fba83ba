"""Who asks is remembered by the header with the key; no key outlives its end by that."""

from pathlib import Path

import pytest

from trimtab.errors import ForbiddenOrigin, InvalidKey
from trimtab.server.identify import Callers, identify
from trimtab.store.sqlite import open_keys
from trimtab.types.identity import Caller


class Request:
    """A request of which nothing but its headers matters."""

    def __init__(self, secret: str = "", **named: str) -> None:
        self.headers = {b"host": b"gateway.example"}
        if secret:
            self.headers[b"authorization"] = f"Bearer {secret}".encode()
        for name, value in named.items():
            self.headers[b"x-trimtab-" + name.replace("_", "-").encode()] = value.encode()


def test_a_remembered_key_ends_with_the_next_request(tmp_path: Path) -> None:
    keys, elsewhere = open_keys(tmp_path), open_keys(tmp_path)
    key, secret = elsewhere.create("app", "search")
    callers = Callers(keys)
    for _ in range(3):
        assert callers.of(Request(secret)) == Caller(key.key_id, "search")
    elsewhere.create("other")
    assert callers.of(Request(secret)) == Caller(key.key_id, "search")
    elsewhere.revoke("app")
    for _ in range(2):
        with pytest.raises(InvalidKey):
            callers.of(Request(secret))


def test_the_end_user_is_asked_each_time(tmp_path: Path) -> None:
    keys = open_keys(tmp_path)
    key, secret = keys.create("app")
    callers = Callers(keys)
    for user in ("ana", "bob", ""):
        request = Request(secret, user=user, session="s1", user_class="vip")
        assert callers.of(request) == Caller(key.key_id, "", user, "s1", "vip")
        assert callers.of(request) == identify(request, keys)
    assert callers.of(Request(secret)) == Caller(key.key_id)


def test_who_has_no_valid_key_is_not_remembered(tmp_path: Path) -> None:
    keys = open_keys(tmp_path)
    callers = Callers(keys)
    local = Request()
    local.headers[b"host"] = b"localhost"
    assert callers.of(local) == Caller()
    with pytest.raises(ForbiddenOrigin):
        callers.of(Request())
    _, console = keys.create("person", console=True)
    for secret in ("", "tt-unknown", console):
        for _ in range(2):
            with pytest.raises(InvalidKey):
                callers.of(Request(secret))
    with pytest.raises(InvalidKey):
        callers.of(local)
