"""The way of a request through our Python does not grow unnoticed: docs/design/data-plane.md."""

from pathlib import Path

import uvloop
from bench.bytecodes import bytecodes_of_a_frame, bytecodes_of_a_request

# A little above what `python -m bench.bytecodes` tells. Who needs more says so on the page, too.
_MOST_CALLS = 184
_MOST_BYTECODES = 5_150
_MOST_BYTECODES_OF_A_FRAME = 370  # where machines are busy, more of them come before the head


def test_a_request_takes_no_more_python_than_the_page_says(tmp_path: Path) -> None:
    found = uvloop.run(bytecodes_of_a_request(tmp_path))
    assert found.calls <= _MOST_CALLS
    assert found.total <= _MOST_BYTECODES, found.by_file
    assert {"server/http.py", "gateway/inference.py", "spend/limits.py"} <= found.by_file.keys()


def test_a_frame_takes_no_more_python_than_the_page_says(tmp_path: Path) -> None:
    found = uvloop.run(bytecodes_of_a_frame(tmp_path))
    assert found.total <= _MOST_BYTECODES_OF_A_FRAME, found.by_file
    assert {"providers/wire/chat_stream.py", "gateway/attempt.py"} <= found.by_file.keys()
