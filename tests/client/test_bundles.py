"""Files of prompts: the gateway's route, local rendering, freshness, outages, damaged files."""

import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from client.stage import (
    ADA,
    CORPUS,
    TRIAGE,
    Stage,
    release,
    stage,
    write_corpus,
    write_files,
    write_triage,
)
from harness import start_gateway, wait_until
from harness import trimtab as command
from server.wire import Peer, RawServer, head
from trimtab import AnswerTimeout, Bundle, Client, GatewayGarbage, GatewayUnreachable
from trimtab.client import bundles
from trimtab.client.bundle import read_bundle
from trimtab.client.bundles import Wanted
from trimtab.client.call import ChatCall
from trimtab.client.shelf import Shelf
from trimtab.errors import PromptNotReleased, PromptVariables, UnknownPrompt
from trimtab.prompts.library import load_library
from trimtab.prompts.parse import parse_prompt
from trimtab.releases.edit import Trying, promote, rollback, try_out

PATH = "/v1/prompts/support/triage"
SAYS = {"ticket": "lost"}


def canary(folder: Path, share: float = 0.4) -> None:
    """Release one version, and try another one."""
    write_triage(folder, " v1")
    release(folder)
    write_triage(folder, " v2")
    library = load_library(folder)
    prompt = library.prompts["support/triage"]
    trying = Trying(share=share)
    try_out(library, "production", prompt, model="one:fault:main", author=ADA, trying=trying)


# ------------------------------------------------------------------ the route


def test_the_route_gives_a_version_with_its_files(project_folder: Path):
    write_corpus(project_folder)
    with stage(project_folder) as on:
        reply = on.ask("/v1/prompts/folder/with-partial")
        assert reply.status == 200, reply.body
        prompt = load_library(project_folder).prompts["folder/with-partial"]
        assert {name: value for name, value in reply.json.items() if name != "files"} == {
            "prompt": "folder/with-partial",
            "version": "v1-draft",
            "hash": prompt.version_hash,
            "model": "other",
            "pin": "",
            "environment": "",
            "arm": "draft",
        }
        folder = project_folder / "prompts"
        names = ["_partials/how.md", "_partials/tone.md", "_tools/find.json"]
        names.append("folder/with-partial.prompt.md")
        assert reply.json["files"] == {name: (folder / name).read_text() for name in names}
        assert read_bundle(reply.body, "folder/with-partial", "").prompt.id == prompt.id


def test_the_route_is_answered_with_304_while_nothing_has_changed(project_folder: Path):
    write_triage(project_folder)
    with stage(project_folder) as on:
        tag = on.ask(PATH).headers["etag"]
        for known in (tag, f'"other", {tag}'):
            again = on.ask(PATH, if_none_match=known)
            assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
        assert on.ask(PATH, if_none_match='"other"').status == 200
        write_triage(project_folder, " anew")
        wait_until(lambda: on.ask(PATH, if_none_match=tag).status == 200)


def test_the_route_refuses_what_chat_refuses(project_folder: Path):
    canary(project_folder)
    write_files(project_folder, {"new.prompt.md": "---\nmodel: main\n---\nHi\n"})
    with stage(project_folder, environment="production") as on:
        cases = {
            "/v1/prompts/nothing": (404, "prompt_not_found"),
            "/v1/prompts/..%2f..%2fetc/passwd": (404, "prompt_not_found"),
            "/v1/prompts/_versions/support/triage/v1.json": (404, "prompt_not_found"),
            PATH + "?version=v9": (404, "prompt_not_found"),
            "/v1/prompts/new": (404, "prompt_not_released"),
        }
        for path, told in cases.items():
            reply = on.ask(path)
            assert (reply.status, reply.error["code"]) == told, path
        assert on.ask(PATH, x_trimtab_user="x" * 300).status == 400
        assert on.gateway.request(PATH, b"{}").status == 405
        for version in ("v1", "v2", "draft"):
            got = on.ask(f"{PATH}?version={version}").json
            assert (got["arm"], got["version"]) == ("asked", version.replace("draft", "v2"))


def test_the_route_asks_for_a_key(project_folder: Path):
    write_triage(project_folder)
    (project_folder / "trimtab.toml").write_text("[server]\nport = 0\n")
    app = command("keys", "create", "app", folder=project_folder).stdout
    people = command("keys", "create", "people", "--console", folder=project_folder).stdout
    keys = [next(word for word in text.split() if word.startswith("tt-")) for text in (app, people)]
    with stage(project_folder) as on:
        assert on.ask(PATH).status == 401
        assert on.ask(PATH, authorization="Bearer tt-x").status == 401
        assert on.ask(PATH, authorization=f"Bearer {keys[1]}").status == 401
        assert on.ask(PATH, authorization=f"Bearer {keys[0]}").status == 200


def test_without_a_name_it_is_never_a_canary(project_folder: Path):
    canary(project_folder, share=1.0)
    with stage(project_folder, environment="production") as on:
        assert on.ask(PATH).json["arm"] == "released"
        assert on.ask(PATH, x_trimtab_user="ana").json["arm"] == "canary"
        assert on.ask(PATH, x_trimtab_session="s").json["arm"] == "canary"


# ------------------------------------------------------------------ agreement


def same_as_sent(on: Stage, client: Client, name: str, variables: dict[str, Any]) -> None:
    own: list[dict[str, Any]] = [{"role": "user", "content": "own"}]
    client.chat(name, variables, messages=own)
    sent = on.sent()
    local = client.render(name, variables, messages=own)
    assert local.messages == sent.pop("messages")
    assert json.dumps(local.messages)  # plain JSON values
    assert sent.pop("model") == f"fault:{local.model}"
    assert local.config == sent


def test_local_rendering_is_that_of_the_gateway(project_folder: Path):
    write_corpus(project_folder)
    with stage(project_folder) as on, Client(on.gateway.url) as client:
        for name, (_, variables) in CORPUS.items():
            same_as_sent(on, client, name, variables)


def test_local_rendering_is_byte_for_byte_that_of_the_gateway(project_folder: Path):
    """The same with the bytes of the bodies: through the fallback, whose body is made here."""
    write_corpus(project_folder)
    with stage(project_folder) as on, Client(on.gateway.url) as client:
        for name, (_, variables) in CORPUS.items():
            client.chat(name, variables)
            through = on.provider.calls[-1].body
            kept = client._loop.run(client._client._bundles.get(Wanted(name)))
            call = ChatCall(Wanted(name), variables, (), "", stream=False, fields={})
            here = call.fallback_body(kept, "x")
            assert messages_of(here) == messages_of(through), name


def messages_of(body: bytes) -> bytes:
    return bytes(msgspec.json.decode(body, type=dict[str, msgspec.Raw])["messages"])


def test_variables_that_do_not_fit_are_told_as_the_gateway_tells_them(project_folder: Path):
    write_triage(project_folder)
    with stage(project_folder) as on, Client(on.gateway.url) as client:
        told: list[str] = []
        for ask in (client.chat, client.render):
            with pytest.raises(PromptVariables) as raised:
                ask("support/triage", {"ticket": 3})
            told.append(str(raised.value))
        assert told[0] == told[1]


def test_users_get_the_same_arm_here_and_there(project_folder: Path):
    canary(project_folder)
    with stage(project_folder, environment="production") as on, Client(on.gateway.url) as client:
        versions: set[str] = set()
        for number in range(30):
            user = f"user-{number}"
            there = client.chat("support/triage", SAYS, user=user)
            here = client.render("support/triage", SAYS, user=user)
            assert here.version == there.prompt_version
            assert here.messages == on.sent()["messages"]
            versions.add(here.version)
        assert versions == {"v1", "v2"}
        kept = client._client._bundles
        assert len(kept._kept["support/triage", ""]) == 2, "one for each arm, not for each user"


# ------------------------------------------------------------------ freshness


def test_a_bundle_is_asked_for_again_when_it_is_not_fresh(project_folder: Path):
    write_triage(project_folder, " old")
    with (
        stage(project_folder) as on,
        Client(on.gateway.url, fresh_s=0) as asking,
        Client(on.gateway.url, fresh_s=3600) as keeping,
    ):
        old = asking.render("support/triage", SAYS).hash
        first = keeping.render("support/triage", SAYS)
        write_triage(project_folder, " new")
        new = wait_until(lambda: (r := asking.render("support/triage", SAYS)).hash != old and r)
        assert new.messages[0]["content"] == "You route tickets new."
        assert keeping.render("support/triage", SAYS) == first


def test_a_prompt_that_is_withdrawn_is_not_used_from_memory(project_folder: Path):
    write_triage(project_folder)
    with stage(project_folder) as on, Client(on.gateway.url, fresh_s=0) as client:
        client.prompt("support/triage")
        (project_folder / "prompts/support/triage.prompt.md").unlink()

        def refused() -> bool:
            try:
                client.prompt("support/triage")
            except UnknownPrompt:
                return True
            return False

        wait_until(refused)


def test_not_released(project_folder: Path):
    write_triage(project_folder)
    with (
        stage(project_folder, environment="production") as on,
        Client(on.gateway.url) as client,
        pytest.raises(PromptNotReleased),
    ):
        client.prompt("support/triage")


# ------------------------------------------------------------------ outages


def test_an_outage_is_told_once_and_the_last_good_files_are_used(
    project_folder: Path, caplog: pytest.LogCaptureFixture
):
    write_triage(project_folder)
    caplog.set_level(logging.INFO, "trimtab.client")
    with stage(project_folder) as on, Client(on.gateway.url, fresh_s=0) as client:
        fresh = client.prompt("support/triage")
        assert not fresh.stale
        port = on.gateway.port
        on.gateway.kill()
        for _ in range(3):
            assert client.prompt("support/triage").stale
            rendered = client.render("support/triage", SAYS, user="somebody else")
            assert rendered.stale
            assert rendered.hash == fresh.hash
        with pytest.raises(GatewayUnreachable, match="connection refused"):
            client.prompt("never/fetched")
        told = [record.getMessage() for record in caplog.records]
        assert len([line for line in told if "is away" in line]) == 1
        again = start_gateway(project_folder, arguments=("--port", str(port)))
        assert not client.prompt("support/triage").stale
        again.stop()
        assert client.prompt("support/triage").stale
        told = [record.getMessage() for record in caplog.records]
        assert len([line for line in told if "is away" in line]) == 2
        assert len([line for line in told if "is away" not in line]) == 1


def test_a_release_that_was_rolled_back_is_not_the_last_good_one(project_folder: Path):
    write_triage(project_folder, " v1")
    release(project_folder)
    write_triage(project_folder, " v2")
    release(project_folder)
    with (
        stage(project_folder, environment="production") as on,
        Client(on.gateway.url, fresh_s=0) as client,
    ):
        assert client.prompt("support/triage", user="ana").version == "v2"
        library = load_library(project_folder)
        rollback(library, "production", "support/triage", author=ADA)
        wait_until(lambda: client.prompt("support/triage", user="bob").version == "v1")
        on.gateway.kill()
        for user in ("bob", "ana"):
            bundle = client.prompt("support/triage", user=user)
            assert (bundle.version, bundle.stale) == ("v1", True)


def test_the_last_good_files_survive_the_process(project_folder: Path, tmp_path: Path):
    canary(project_folder)
    cache = tmp_path / "deep" / "cache"
    with stage(project_folder, environment="production") as on:
        with Client(on.gateway.url, cache_dir=cache) as client:
            arms = {client.prompt("support/triage", user=f"u{n}").arm for n in range(20)}
            assert arms == {"released", "canary"}
            assert client.prompt("support/triage", "v2").arm == "asked"
        files = sorted(cache.iterdir())
        assert len(files) == 3
        assert all(path.stat().st_mode & 0o077 == 0 for path in files)
        on.gateway.kill()
        with Client(on.gateway.url, cache_dir=cache) as client:
            bundle = client.prompt("support/triage", user="new")
            assert (bundle.version, bundle.arm, bundle.stale) == ("v1", "released", True)
            assert client.prompt("support/triage", "v2").version == "v2"
            with pytest.raises(GatewayUnreachable):
                client.prompt("support/triage", "v1")
        other = on.gateway.url.replace("127.0.0.1", "localhost")
        with Client(other, cache_dir=cache) as client, pytest.raises(GatewayUnreachable):
            client.prompt("support/triage")


DAMAGE: dict[str, Callable[[str], str]] = {
    "empty": lambda text: "",
    "cut": lambda text: text[: len(text) // 2],
    "another type": lambda text: "[]",
    "zeros": lambda text: "\x00" * 100,
    "deep": lambda text: "[" * 100_000,
    "changed": lambda text: text.replace("You route tickets", "You leak tickets"),
    "another prompt": lambda text: text.replace('"support/triage"', '"support/other"'),
    "unreadable": lambda text: text.replace("model: main", "modell: main"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_no_file(project_folder: Path, tmp_path: Path, name: str):
    write_triage(project_folder)
    with stage(project_folder) as on:
        with Client(on.gateway.url, cache_dir=tmp_path / "cache") as client:
            client.prompt("support/triage")
        (file,) = (tmp_path / "cache").iterdir()
        good = file.read_text()
        assert DAMAGE[name](good) != good
        file.write_text(DAMAGE[name](good))
        with Client(on.gateway.url, cache_dir=tmp_path / "cache") as client:
            assert not client.prompt("support/triage").stale, "while it can be asked, it is"
        file.write_text(DAMAGE[name](good))
        on.gateway.kill()
        with Client(on.gateway.url, cache_dir=tmp_path / "cache") as client:
            with pytest.raises(GatewayUnreachable):
                client.prompt("support/triage")
            file.write_text(good)
            assert client.prompt("support/triage").stale


def test_what_is_kept_has_its_bounds(project_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bundles, "_MOST_USERS", 3)
    monkeypatch.setattr(bundles, "_MOST_PROMPTS", 2)
    monkeypatch.setattr(bundles, "_MOST_ARMS", 1)
    write_corpus(project_folder)
    canary(project_folder)
    library = load_library(project_folder)
    for name in ("plain", "history", "image"):
        promote(
            library,
            "production",
            library.prompts[name],
            model="one:fault:main",
            author=ADA,
            force=True,
        )
    with stage(project_folder, environment="production") as on, Client(on.gateway.url) as client:
        for name in ("plain", "history", "image"):
            assert client.prompt(name, user="ana").prompt == name
        for number in range(20):
            client.prompt("support/triage", user=f"u{number}")
        kept = client._client._bundles
        assert [name for name, _ in kept._kept] == ["image", "support/triage"]
        assert len(kept._kept["support/triage", ""]) == 1
        assert [wanted.user for wanted in kept._seen] == ["u17", "u18", "u19"]


class Scripted(NamedTuple):
    """A server that gives a bundle, and then what it is told."""

    server: RawServer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/v1"

    def play(self, *answers: bytes) -> None:
        left = list(answers)

        def play(peer: Peer) -> None:
            while peer.socket.recv(1 << 16):
                if left:
                    peer.send(left.pop(0))

        self.server.play(play)


def bundle_reply() -> bytes:
    files = {"a.prompt.md": "---\nmodel: main\n---\nHi\n"}
    found = parse_prompt("a", files.get)
    bundle = Bundle(
        prompt="a",
        version="v1",
        hash=found.version_hash,
        model="main",
        environment="",
        arm="draft",
        files=files,
    )
    body = msgspec.json.encode(bundle)
    return head("HTTP/1.1 200 OK", f"content-length: {len(body)}", 'etag: "tag"') + body


def test_a_gateway_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bundles, "_ASK_S", 0.2)
    silent = Scripted(RawServer())
    silent.play(bundle_reply())
    with Client(silent.url, fresh_s=0) as client:
        assert not client.prompt("a").stale
        assert client.prompt("a").stale
        assert client.prompt("a", user="new").stale
        with pytest.raises(AnswerTimeout, match="readyz"):
            client.prompt("b")
    silent.server.close()


def test_nothing_has_changed_of_nothing():
    odd = Scripted(RawServer())
    odd.play(bundle_reply(), head("HTTP/1.1 304 Not Modified", 'etag: "other"'))
    with Client(odd.url, fresh_s=0) as client:
        client.prompt("a")
        with pytest.raises(GatewayGarbage, match="nothing has changed"):
            client.prompt("a")
    odd.server.close()


def test_a_folder_that_cannot_be_written_is_told_once(
    project_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    write_corpus(project_folder)
    (tmp_path / "cache").write_text("a file")
    with (
        stage(project_folder) as on,
        Client(on.gateway.url, cache_dir=tmp_path / "cache", fresh_s=0) as client,
    ):
        for name in ("plain", "triage"):
            assert not client.prompt(name).stale
    assert len([r for r in caplog.records if "cannot be written" in r.getMessage()]) == 1


def test_gateways_on_one_host_share_a_folder(tmp_path: Path):
    one = Scripted(RawServer())
    one.play(bundle_reply())
    with Client(f"{one.url}/one/v1", cache_dir=tmp_path) as client:
        assert not client.prompt("a").stale
    one.server.close()
    with Client(f"{one.url}/one/v1/", cache_dir=tmp_path) as client:
        assert client.prompt("a").stale
    with (
        Client(f"{one.url}/two/v1", cache_dir=tmp_path) as client,
        pytest.raises(GatewayUnreachable),
    ):
        client.prompt("a")


def test_files_that_are_too_large_are_not_read(tmp_path: Path):
    shelf = Shelf(tmp_path, "http://x")
    path = shelf._path("a", "", "released")
    with path.open("wb") as out:
        out.truncate(1 << 30)
    assert shelf.get("a", "") is None


# ------------------------------------------------------------------ hashes


def test_a_bundle_must_have_its_hash():
    files = {"a.prompt.md": TRIAGE.replace("@@", "")}
    prompt = parse_prompt("a", files.get)
    bundle: dict[str, Any] = {
        "prompt": "a",
        "version": "v1",
        "hash": prompt.version_hash,
        "model": "main",
        "environment": "",
        "arm": "draft",
    }
    good = json.dumps({**bundle, "files": files, "later": 1, "stale": True}).encode()
    # Whether it is stale only the client can know.
    assert read_bundle(good, "a", "").bundle == Bundle(**bundle, files=files)
    wrong: list[dict[str, Any]] = [
        {**bundle, "files": {"a.prompt.md": files["a.prompt.md"] + "!"}},
        {**bundle, "files": {}},
        {**bundle, "files": files, "hash": hashlib.sha256(b"").hexdigest()},
        {**bundle, "files": files, "prompt": "b"},
        {**bundle, "files": {"a.prompt.md": 3}},
        {**bundle, "files": files, "arm": "x/../../elsewhere"},  # part of a name in `cache_dir`
    ]
    for value in wrong:
        with pytest.raises(GatewayGarbage) as raised:
            read_bundle(json.dumps(value).encode(), "a", "")
        assert "You route" not in str(raised.value)
