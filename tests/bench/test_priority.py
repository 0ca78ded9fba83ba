"""Priority is given back."""

import os

from bench.priority import NICE, before_others


def test_priority_is_given_back():
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with before_others():
        assert os.getpriority(os.PRIO_PROCESS, 0) in {NICE, before}
    assert os.getpriority(os.PRIO_PROCESS, 0) in {NICE, before}
