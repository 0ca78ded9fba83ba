"""Feedback without a key: a token in the headers of each inference, for browsers."""

import json
from pathlib import Path

import pytest

from feedback.test_intake import answered, give, thumb
from gateway.test_prompted import Stage, stage, triage, write_prompt
from harness import Reply
from server.test_access import trimtab
from trimtab.errors import InvalidToken, StoreError
from trimtab.feedback.tokens import FeedbackTokens, read_secret
from trimtab.testing import FrozenClock
from trimtab.types.clock import NS_PER_S
from trimtab.types.ids import IdSource

CALL = {"id": "support/triage", "variables": {"ticket": "lost"}}
DAY_S = 86_400


def ask(on: Stage, secret: str = "", **fields: object) -> Reply:
    headers = {"x-trimtab-user": "ana", "authorization": f"Bearer {secret}"}
    body = json.dumps({"prompt": CALL, **fields}).encode()
    return on.gateway.request("/v1/chat/completions", body, headers=headers)


@pytest.fixture
def tokens_folder(project_folder: Path) -> Path:
    write_prompt(project_folder, triage())
    (project_folder / "feedback.toml").write_text("[tokens]\n")
    return project_folder


def test_a_token_speaks_for_the_user_of_its_inference(tokens_folder: Path) -> None:
    with stage(tokens_folder) as on:
        made = trimtab("keys", "create", "app", "--json", folder=tokens_folder)
        secret = json.loads(made.stdout)["secret"]
        for streamed in (False, True):
            reply = ask(on, secret, stream=streamed)
            assert reply.status == 200, reply.body
            inference_id = reply.headers["x-request-id"]
            token = reply.headers["x-trimtab-feedback"]
            assert token.startswith(f"{inference_id}.")
            sent = {"token": token, "metric": "thumbs", "value": False}
            given = give(on, sent, origin="https://app.example")
            assert given.status == 200, given.body
            assert given.headers["access-control-allow-origin"] == "*"
            [found] = on.gateway.reader().feedback_on(inference_id)
            assert (found.value, found.user) == (False, "ana")
            for wrong in (token[:-1], token[:-1] + "x", f"x{token}", inference_id, "é."):
                refused = give(on, {"token": wrong, "metric": "thumbs", "value": True})
                assert (refused.status, refused.error["code"]) == (401, "invalid_feedback_token")
                assert refused.headers["access-control-allow-origin"] == "*", "a page can read it"
            named = give(on, sent | {"user": "bo"})
            assert (named.status, named.error["param"]) == (400, "user")
            keyless = give(on, thumb(inference_id))
            assert (keyless.status, keyless.error["code"]) == (401, "invalid_api_key")


def test_a_page_may_ask_first(tokens_folder: Path) -> None:
    (tokens_folder / "feedback.toml").write_text("")
    with stage(tokens_folder) as on:
        reply = on.ask(prompt=CALL)
        assert "x-trimtab-feedback" not in reply.headers
        assert on.gateway.method("OPTIONS", "/v1/feedback").status == 405
        (tokens_folder / "feedback.toml").write_text("[tokens]\ndays = 3\n")
        on.gateway.wait_for_log("project reloaded")
        asked = on.gateway.method("OPTIONS", "/v1/feedback")
        assert (asked.status, asked.headers["access-control-allow-methods"]) == (204, "POST")
        assert "x-trimtab-feedback" in on.ask(prompt=CALL).headers


def test_a_token_ends_and_is_of_one_gateway(tmp_path: Path) -> None:
    clock = FrozenClock()
    inference_id = IdSource(clock).new("inf")
    tokens = FeedbackTokens(read_secret(tmp_path))
    token = tokens.token(inference_id)
    clock.advance(3 * DAY_S - 1)
    again = FeedbackTokens(read_secret(tmp_path))
    assert again.inference_of(token, now_ns=clock.wall_ns(), days=3) == inference_id
    with pytest.raises(InvalidToken, match="older than 3 days"):
        tokens.inference_of(token, now_ns=clock.wall_ns() + 2 * NS_PER_S, days=3)
    other = FeedbackTokens(read_secret(tmp_path / "other"))
    with pytest.raises(InvalidToken, match="no feedback token of this gateway"):
        other.inference_of(token, now_ns=clock.wall_ns(), days=3)
    assert (tmp_path / "feedback.secret").stat().st_mode & 0o777 == 0o600


def test_a_secret_that_is_damaged_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "feedback.secret").write_bytes(b"short")
    with pytest.raises(StoreError, match="is damaged"):
        read_secret(tmp_path)


def test_a_key_of_another_team_knows_nothing_of_it(tokens_folder: Path) -> None:
    with stage(tokens_folder) as on:
        secrets: list[str] = []
        for team in ("search", "support"):
            made = trimtab("keys", "create", team, "--team", team, "--json", folder=tokens_folder)
            secrets.append(json.loads(made.stdout)["secret"])
        inference_id = ask(on, secrets[0]).headers["x-request-id"]
        foreign = give(on, thumb(inference_id), authorization=f"Bearer {secrets[1]}")
        unknown = give(on, thumb("inf_0"), authorization=f"Bearer {secrets[1]}")
        assert foreign.status == unknown.status == 404
        assert foreign.error == unknown.error
        own = give(on, thumb(inference_id), authorization=f"Bearer {secrets[0]}")
        assert own.status == 200


def test_comments_are_kept_where_bodies_are_and_never_logged(tokens_folder: Path) -> None:
    with stage(tokens_folder) as on:
        inference_id = answered(on)
        reply = give(on, thumb(inference_id, comment="my secret"))
        assert reply.json["comment_kept"] is False
        file = tokens_folder / "trimtab.toml"
        file.write_text(f'{file.read_text()}\n[recording]\nbodies = "full"\n')
        on.gateway.wait_for_log("project reloaded")
        reply = give(on, thumb(inference_id, comment="my secret"))
        assert reply.json["comment_kept"] is True
        [given] = on.gateway.reader().feedback_on(inference_id)
        assert given.comment == "my secret"
        page = on.gateway.request(f"/console/inferences/{inference_id}")
        assert b"my secret" in page.body
    assert not any("my secret" in line for line in on.gateway.output)
    ledger = (tokens_folder / ".trimtab/ledger.sqlite").read_bytes()
    assert b"my secret" not in ledger
