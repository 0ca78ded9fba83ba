"""Feedback through a real gateway: what is taken, what is refused, and what is on record then."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.test_canary import released_and_tried
from gateway.test_prompted import Stage, stage, triage, write_prompt
from harness import Reply
from trimtab.archive import rebuild_store, verify_store
from trimtab.gateway.canary import Evidence

CALL = {"id": "support/triage", "variables": {"ticket": "lost"}}
STARS = """
[metrics.stars]
type = "number"
low = 1
high = 5
[metrics.complained]
direction = "down"
"""


def give(on: Stage, body: object, **headers: str) -> Reply:
    """Send it."""
    return on.gateway.request("/v1/feedback", json.dumps(body).encode(), headers=headers)


def answered(on: Stage, **fields: Any) -> str:
    """The id of an inference that is over."""
    reply = on.ask(prompt=CALL, **fields)
    assert reply.status == 200, reply.body
    return reply.headers["x-request-id"]


def thumb(inference_id: str, value: object = True, **more: object) -> dict[str, object]:
    return {"inference_id": inference_id, "metric": "thumbs", "value": value, **more}


@pytest.fixture
def project_folder(project_folder: Path) -> Path:
    write_prompt(project_folder, triage())
    return project_folder


def test_feedback_is_on_record_with_the_version_and_the_model(project_folder: Path) -> None:
    (project_folder / "feedback.toml").write_text(STARS)
    with stage(project_folder) as on:
        inference_id = answered(on)
        reply = give(on, thumb(inference_id))
        assert reply.status == 200, reply.body
        assert reply.json == {
            "object": "feedback",
            "inference_id": inference_id,
            "metric": "thumbs",
            "value": True,
            "comment_kept": False,
        }
        for value in (3, 4.5):
            sent = {"inference_id": inference_id, "metric": "stars", "value": value, "user": "bo"}
            assert give(on, sent).status == 200
        reader = on.gateway.reader()
        given = [
            (one.metric, one.value, one.bad, one.user) for one in reader.feedback_on(inference_id)
        ]
        assert given == [("thumbs", True, False, "ana"), ("stars", 4.5, None, "bo")]
        facts = reader.feedback_facts(0, 1 << 62)
        assert [(one.metric, one.boolean, one.count, one.bad, one.total) for one in facts] == [
            ("stars", False, 1, 0, 4.5),
            ("thumbs", True, 1, 0, 1.0),
        ]
        event = reader.event(inference_id)
        assert event is not None
        assert {(one.version, one.hash, one.arm) for one in facts} == {
            ("v1-draft", event.prompt_hash, "draft")
        }
        assert {one.model for one in facts} == {"one:fault:main"}


def test_the_last_word_of_a_user_counts_once(project_folder: Path) -> None:
    with stage(project_folder) as on:
        inference_id = answered(on)
        for value in (True, True, False):
            assert give(on, thumb(inference_id, value)).status == 200
        assert give(on, thumb(inference_id, value=True, user="bo")).status == 200
        [facts] = on.gateway.reader().feedback_facts(0, 1 << 62)
        assert (facts.count, facts.bad) == (2, 1)


def test_a_list_is_taken_whole_or_not_at_all(project_folder: Path) -> None:
    with stage(project_folder) as on:
        ids = [answered(on), answered(on)]
        reply = give(on, [thumb(ids[0]), thumb("inf_unknown")])
        assert reply.error["code"] == "inference_not_found"
        assert on.gateway.reader().feedback_facts(0, 1 << 62) == []
        reply = give(on, [thumb(one) for one in ids])
        assert [one["inference_id"] for one in reply.json["data"]] == ids
        [facts] = on.gateway.reader().feedback_facts(0, 1 << 62)
        assert facts.count == 2


@pytest.mark.parametrize(
    ("fields", "status", "code", "says"),
    [
        ({"inference_id": "inf_0"}, 404, "inference_not_found", "x-request-id"),
        ({"metric": "smile"}, 400, "unknown_metric", "It declares complained, stars, thumbs"),
        ({"value": 1}, 400, "malformed_request", "must be true or false"),
        ({"value": "yes"}, 400, "malformed_request", "Expected `bool | float`, got `str`"),
        ({"metric": "stars", "value": 6}, 400, "malformed_request", "a number from 1 to 5"),
        ({"metric": "stars", "value": True}, 400, "malformed_request", "a number from 1 to 5"),
        ({"comment": "secret " * 300}, 400, "malformed_request", "2,100 characters"),
        ({"user": "x" * 257}, 400, "malformed_request", "256"),
        ({"token": "inf_0.00"}, 400, "malformed_request", "x-trimtab-feedback"),
        ({"inference_id": "", "token": "inf_0.00"}, 401, "invalid_feedback_token", "[tokens]"),
        ({"inference_id": ""}, 400, "malformed_request", "x-request-id"),
        ({"stars": 5}, 400, "malformed_request", "unknown field `stars`"),
    ],
)
def test_wrong_feedback_is_told_what_is_right(
    project_folder: Path, fields: dict[str, Any], status: int, code: str, says: str
) -> None:
    (project_folder / "feedback.toml").write_text(STARS)
    with stage(project_folder) as on:
        reply = give(on, thumb(answered(on)) | fields)
        assert (reply.status, reply.error["code"]) == (status, code)
        assert says in reply.error["message"]
        assert "secret" not in reply.error["message"]
        assert on.gateway.reader().feedback_facts(0, 1 << 62) == []
    assert not any("secret" in line for line in on.gateway.output)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"3", b"[" * 5_000, b" " * 300_000])
def test_what_is_no_feedback_at_all(project_folder: Path, body: bytes) -> None:
    with stage(project_folder) as on:
        reply = on.gateway.request("/v1/feedback", body)
        assert (reply.status, reply.error["code"]) in {
            (400, "malformed_request"),
            (413, "request_too_large"),
        }
        assert on.gateway.request("/v1/feedback").status == 405


def test_a_restart_and_a_rebuild_keep_it_and_the_chain_holds(project_folder: Path) -> None:
    file = project_folder / "trimtab.toml"
    with stage(project_folder) as on:
        inference_id = answered(on)
        assert give(on, thumb(inference_id, value=False)).status == 200
        before = on.gateway.reader().feedback_on(inference_id)
        on.gateway.kill()
    assert verify_store(file).ok
    assert verify_store(file).feedback == 1
    (project_folder / ".trimtab/feedback.sqlite").write_bytes(b"no database" * 1_000)
    assert not verify_store(file).ok, "a damaged file is told of"
    rebuild_store(file, force=False)
    assert verify_store(file).ok
    with stage(project_folder) as on:
        assert on.gateway.reader().feedback_on(inference_id) == before
        assert give(on, thumb(inference_id, value=True)).status == 200
        [given] = on.gateway.reader().feedback_on(inference_id)
        assert given.value is True


def test_cached_answers_say_nothing_to_guards(project_folder: Path) -> None:
    released_and_tried(project_folder, share=0.5)
    with stage(project_folder, "production") as on:
        file = project_folder / "trimtab.toml"
        cache = '[routes.default]\ncache = {ttl_s = 60, scope = "team"}\n'
        file.write_text(f"{file.read_text()}\n{cache}")
        on.gateway.wait_for_log("project reloaded")
        for number in range(20):
            reply = on.ask(prompt={"id": "team"}, user_name=f"user-{number}", temperature=0)
            given = give(on, thumb(reply.headers["x-request-id"], value=False))
            assert given.status == 200, given.body
        facts = on.gateway.reader().feedback_facts(0, 1 << 62)
        assert sum(one.count for one in facts) == 20
    kept = (project_folder / ".trimtab/canaries/0.json").read_bytes()
    [evidence] = msgspec.json.decode(kept, type=dict[str, Evidence]).values()
    assert evidence.thumbs == evidence.thumbs_down == 1, "the one that was answered by a model"
