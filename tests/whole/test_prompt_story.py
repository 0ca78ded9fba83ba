"""The story of a prompt: out of an `.env` file, changed, refused, released, served, rolled back.

Through the commands, a real gateway and the real local model. Every inference names its version.
"""

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess

import msgspec

from harness import Gateway, Reply, running_gateway, trimtab, wait_until
from trimtab.prompts.library import load_library
from trimtab.releases.evidence import Evidence, suite_hash
from trimtab.store.records import EventQuery

PIN = "here:smollm2-135m-instruct"
PROJECT = """
[server]
port = 0
[providers.here]
kind = "local"
context_tokens = 2048
[models.small]
ref = "here:smollm2-135m-instruct"
price = {input_usd_per_mtok = 0.1, output_usd_per_mtok = 0.4}
[routes.default]
timeouts = {ttft_s = 60, idle_s = 60, total_s = 120}
[prompts]
environment = "production"
"""
HIDDEN = "You are a support agent of {company}. Answer in one short sentence."
NAME = "support/agent"


class Story:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / f"prompts/{NAME}.prompt.md"
        self.versions: dict[str, str] = {}  # by inference

    def run(self, *arguments: str, code: int = 0) -> str:
        done: CompletedProcess[str] = trimtab(*arguments, folder=self.folder)
        assert done.returncode == code, done.stdout + done.stderr
        return re.sub(r"\s+", " ", done.stdout + done.stderr)

    def hash(self) -> str:
        return load_library(self.folder).prompts[NAME].version_hash

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def pass_gate(self) -> None:
        """What a gate writes when a suite has passed."""
        evidence = Evidence(
            prompt=NAME,
            prompt_hash=self.hash(),
            model=PIN,
            suite="support",
            suite_hash=suite_hash(self.folder, "support"),
            verdict="pass",
            at="2026-11-29T12:00:00Z",
        )
        file = self.folder / "evals/support/evidence" / f"{self.hash()[:12]}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(msgspec.json.encode(evidence))

    def ask(self, gateway: Gateway, expected: str) -> Reply:
        """An inference, which must be served by the version that is expected."""
        variables = {"company": "Acme", "question": "Where is my parcel?"}
        body = json.dumps({"prompt": {"id": NAME, "variables": variables}, "max_tokens": 12})
        reply = gateway.request("/v1/chat/completions", body.encode())
        assert reply.status == 200, reply.body
        assert reply.json["choices"][0]["message"]["content"]
        assert reply.headers["x-trimtab-prompt"] == f"{NAME}@{expected}"
        self.versions[reply.headers["x-request-id"]] = expected
        return reply


@contextmanager
def told(folder: Path) -> Generator[Story]:
    (folder / "trimtab.toml").write_text(PROJECT)
    (folder / ".env").write_text(f'API_KEY=not-for-you\nSUPPORT_PROMPT="{HIDDEN}"\n')
    (folder / "evals/support").mkdir(parents=True)
    (folder / "evals/support/suite.toml").write_text("[suite]\n")
    (folder / "evals/support/cases.jsonl").write_text('{"question": "Where is it?"}\n')
    yield Story(folder)


def test_from_an_env_file_to_a_rollback(project_folder: Path):
    with told(project_folder) as story:
        # Found and adopted.
        assert "SUPPORT_PROMPT" in story.run("check", "--env")
        assert "API_KEY" not in story.run("check", "--env")
        adopted = story.run("prompts", "adopt", "SUPPORT_PROMPT", "--as", NAME)
        assert f"prompt:{NAME}" in adopted, "what the application is to send"
        story.edit("    company: string", "    company: string\n    question: string")
        story.file.write_text(story.file.read_text() + "<<user>>\n{{ question }}\n")
        story.edit("description:", "suite: support\ndescription:")
        # Refused without evidence, promoted with it.
        refused = story.run("release", "promote", NAME, "--env", "production", code=2)
        assert "No gate has passed exactly this version" in refused
        story.pass_gate()
        assert f"{NAME} serves v1 at {PIN}" in story.run(
            "release", "promote", NAME, "--env", "production", "--by", "ada"
        )
        with running_gateway(project_folder, PROJECT) as gateway:
            story.ask(gateway, "v1")
            # Changed: seen as a difference, not yet served, refused again.
            story.edit("one short sentence", "one friendly sentence")
            difference = story.run("prompts", "diff", NAME)
            assert "[-short-]{+friendly+}" in difference
            story.ask(gateway, "v1")
            refused = story.run("release", "promote", NAME, code=2)
            assert "the evidence that there is has another version of the prompt" in refused.lower()
            story.pass_gate()
            story.run("release", "promote", NAME, "--by", "ada")
            wait_until(lambda: _version(gateway, story) == "v2", timeout_s=60)
            story.ask(gateway, "v2")
            assert "is valid" in story.run("check", "--releases")
            # Back.
            back = story.run("release", "rollback", NAME, "--reason", "too friendly")
            assert "is back at v1 instead of v2" in back
            wait_until(lambda: _version(gateway, story) == "v1", timeout_s=60)
            story.ask(gateway, "v1")
            log = story.run("release", "log", NAME)
            assert log.index("is back at v1") < log.index("serves v2") < log.index("serves v1")
            assert "too friendly" in log
            query = EventQuery(since_ns=0, until_ns=1 << 62, where={"prompt": NAME}, limit=1_000)

            def recorded() -> dict[str, str] | None:
                events = gateway.reader().event_page(query).events
                found = {event.inference_id: event.prompt_version for event in events}
                return found if found.keys() >= story.versions.keys() else None

            found = wait_until(recorded)
            assert {key: found[key] for key in story.versions} == story.versions
            assert "is valid" in story.run("check", "--releases")


def _version(gateway: Gateway, story: Story) -> str:
    """The version that the next inference gets, without an opinion on which it should be."""
    variables = {"company": "Acme", "question": "Hello?"}
    body = json.dumps({"prompt": {"id": NAME, "variables": variables}, "max_tokens": 1})
    reply = gateway.request("/v1/chat/completions", body.encode())
    assert reply.status == 200, reply.body
    version = reply.headers["x-trimtab-prompt"].rpartition("@")[2]
    story.versions[reply.headers["x-request-id"]] = version
    return version
