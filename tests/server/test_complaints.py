"""Log lines that do not flood."""

import logging

import pytest

from trimtab.server.complaints import Complaints
from trimtab.testing import FrozenClock


def test_the_first_of_a_kind_is_logged_and_the_rest_are_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = FrozenClock()
    complaints = Complaints(logging.getLogger("test"), clock)
    for _ in range(5):
        complaints.log(logging.WARNING, "down", "cannot reach it")
    complaints.log(logging.WARNING, "slow", "late")
    assert caplog.messages == ["down cannot reach it", "slow late"]
    clock.advance(1.5)
    complaints.log(logging.WARNING, "down", "cannot reach it")
    assert caplog.messages[-1] == "down cannot reach it (and 4 more like this before)"
