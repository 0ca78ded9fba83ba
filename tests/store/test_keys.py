import re
from pathlib import Path

import pytest

from store.processes import child, lines
from trimtab.errors import StoreError, UsageError
from trimtab.store.protocol import KeyStore
from trimtab.store.sqlite import open_keys


def test_create_find_revoke(tmp_path: Path) -> None:
    keys = open_keys(tmp_path)
    assert not keys.any_configured()
    key, secret = keys.create("app", "search")
    assert re.fullmatch(r"tt-[a-z2-7]{40}", secret)
    assert key.prefix == secret[:10]
    assert (key.name, key.team, key.revoked_ns) == ("app", "search", None)
    assert keys.find(secret) == key
    assert keys.find(f"{secret}x") is None
    assert keys.find("\ud800") is None
    revoked = keys.revoke("app")
    assert revoked.revoked_ns is not None
    assert keys.find(secret) is None
    assert keys.any_configured()
    assert keys.list() == [revoked]
    keys.close()


def test_secret_is_nowhere_in_the_files(tmp_path: Path) -> None:
    keys = open_keys(tmp_path)
    _, secret = keys.create("app")
    keys.close()
    for path in tmp_path.iterdir():
        assert secret.encode() not in path.read_bytes()


def test_another_instance_sees_it_at_once(tmp_path: Path) -> None:
    gateway, cli = open_keys(tmp_path), open_keys(tmp_path)
    before = gateway.generation()
    key, secret = cli.create("app")
    assert gateway.generation() != before
    assert gateway.any_configured()
    assert gateway.find(secret) == key
    before = gateway.generation()
    cli.revoke(key.prefix)
    assert gateway.generation() != before
    assert gateway.find(secret) is None
    assert gateway.list() == cli.list()


def test_another_process_sees_it_at_once(tmp_path: Path) -> None:
    keys = open_keys(tmp_path)
    key, secret = keys.create("app")
    with child("keys", tmp_path, secret) as process:
        output = lines(process)
        assert next(output) == "valid"
        keys.revoke(key.key_id)
        assert next(output) == "revoked"


def test_what_a_reference_may_mean(tmp_path: Path) -> None:
    keys: KeyStore = open_keys(tmp_path)
    first, _ = keys.create("app")
    with pytest.raises(UsageError, match="'app' exists"):
        keys.create("app")
    with pytest.raises(UsageError, match="No key has the id"):
        keys.revoke("other")
    keys.revoke(first.key_id)
    with pytest.raises(UsageError, match="revoked already"):
        keys.revoke("app")
    second, _ = keys.create("app")
    keys.create(second.prefix)
    with pytest.raises(UsageError, match="means 2 keys"):
        keys.revoke(second.prefix)
    assert len(keys.list()) == 3


def test_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "control.sqlite").mkdir()
    with pytest.raises(StoreError, match="cannot be opened"):
        open_keys(tmp_path)
