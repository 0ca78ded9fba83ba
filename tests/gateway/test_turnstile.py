"""Limits of callers, found once in a few seconds: nobody gets a fresh meter by that."""

from pathlib import Path

import pytest

from gateway.test_funds import project
from trimtab.config.schema import Project
from trimtab.errors import RateLimited
from trimtab.gateway.call import Call
from trimtab.gateway.sanctions import Sanctions
from trimtab.gateway.turnstile import Turnstile
from trimtab.providers.wire.chat_request import parse_request
from trimtab.spend.limits import Lease
from trimtab.testing import FrozenClock
from trimtab.types.identity import Caller

BODY = b'{"model":"m","messages":[]}'


def limited(folder: Path, requests: int, rest: str = "") -> Project:
    declared = f'[limits.l]\nper = "key"\nrequests_per_minute = {requests}\n{rest}\n'
    return project(folder, declared + '[classes.vip]\nusers = ["v-*"]\n')


class Door:
    """A turnstile, and callers with one key."""

    def __init__(self, declared: Project) -> None:
        self.project = declared
        self.clock = FrozenClock()
        self.turnstile = Turnstile(declared, self.clock, Sanctions(self.clock))

    def enter(self, user: str = "ana", user_class: str = "") -> Lease | None:
        caller = Caller(key_id="k", user=user, user_class=user_class)
        return self.turnstile.enter(self._call(caller))

    def _call(self, caller: Caller) -> Call:
        return Call(
            inference_id="i",
            started_ns=self.clock.wall_ns(),
            begun_s=0.0,
            caller=caller,
            request=parse_request(BODY),
            body=BODY,
            target=self.project.resolve("m"),
            serving=None,  # pyright: ignore[reportArgumentType] - limits ask for nothing of it
        )


def test_all_callers_of_a_key_share_its_limit_whenever_it_is_looked_up(project_folder: Path):
    door = Door(limited(project_folder, 3))
    for user in ("ana", "bob"):
        assert door.enter(user) is not None
    door.turnstile.drop_idle()
    assert door.enter("bob") is not None
    for user in ("ana", "bob", "eve"):
        with pytest.raises(RateLimited):
            door.enter(user)
    door.clock.advance(60)
    door.turnstile.drop_idle()
    assert door.enter("ana") is not None
    assert door.enter("ana") is not None


def test_a_changed_limit_holds_at_once_and_what_was_used_stays_used(project_folder: Path):
    door = Door(limited(project_folder, 3))
    door.enter()
    door.enter()
    door.turnstile.use(limited(project_folder, 2))
    with pytest.raises(RateLimited):
        door.enter()
    door.turnstile.use(project(project_folder, ""))
    assert door.enter() is None


def test_a_limit_of_a_class_holds_for_its_callers_only(project_folder: Path):
    door = Door(limited(project_folder, 1, 'classes = ["vip"]'))
    assert door.enter("v-1", "vip") is not None
    with pytest.raises(RateLimited):
        door.enter("v-1", "vip")
    assert door.enter("v-1") is None
