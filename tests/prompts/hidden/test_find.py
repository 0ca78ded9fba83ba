"""The finder over a folder: where prompts are, what is in them, what is never told."""

import os
from pathlib import Path

import pytest

from trimtab.prompts.hidden.adopt import prompt_file, replacement
from trimtab.prompts.hidden.find import find_hidden, survey_hidden
from trimtab.prompts.hidden.found import HiddenPrompt, words_of

PROMPT = 'SYSTEM_PROMPT = "You are the porter of a hotel. Answer in one sentence."\n'


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def only(folder: Path, name: str, text: str) -> HiddenPrompt:
    (prompt,) = find_hidden(write(folder, **{name: text}))
    return prompt


def test_what_is_told_of_a_prompt(tmp_path: Path):
    prompt = only(
        tmp_path,
        "deploy/.env",
        'A=1\nSUPPORT_TRIAGE_PROMPT="You sort tickets.\nAnswer with a team.\n{ticket}"\n',
    )
    assert (prompt.file, prompt.line, prompt.end_line) == ("deploy/.env", 2, 4)
    assert (prompt.kind, prompt.name, prompt.confidence) == ("env", "SUPPORT_TRIAGE_PROMPT", "sure")
    assert prompt.text == "You sort tickets.\nAnswer with a team.\n{ticket}"
    assert prompt.variables == ("ticket",)
    assert prompt.why == "named SUPPORT_TRIAGE_PROMPT"
    assert prompt.prompt_id == "support-triage"
    assert prompt.place == "deploy/.env:2"


@pytest.mark.parametrize(
    ("code", "text", "variables"),
    [
        (
            'prompt = f"Summarize {a.b!r} in {n:d} words, {{no}} more"',
            None,
            ("repr(a.b)", "format(n, f'd')"),
        ),
        ('"Summarize {} in {1} words and {} lines".format(a, b + 1)', None, ("a", "b + 1")),
        ('prompt = "Summarize %s in %d %% of its words" % (doc, n)', None, ("doc", "n")),
        ('prompt = "Summarize %(doc)s in a few words please" % {"doc": d}', None, ("doc",)),
        ('prompt = "Summarize this text in a few words: " + doc.text + "\\n"', None, ("doc.text",)),
        ('prompt = "Summarize ${DOC} and {{ more }} in {n} words"', None, ("DOC", "more", "n")),
        (
            'PROMPT = "Give {a} as {{b}}, in JSON only"\nPROMPT.format(a=1)',
            "Give {a} as {b}, in JSON only",
            ("a",),
        ),
        (
            'PROMPT = "Give %s as JSON, 100%% of it"\nPROMPT % x',
            "Give %s as JSON, 100% of it",
            ("value_1",),
        ),
        ('prompt = "Give {\\"a\\": 1} as {\\"b\\": 2} for the JSON only, no other text"', None, ()),
    ],
)
def test_variables_of_python(
    tmp_path: Path, code: str, text: str | None, variables: tuple[str, ...]
):
    source = code if "=" in code.partition('"')[0] else f"prompt = {code}"
    prompt = only(tmp_path, "a.py", source)
    assert prompt.variables == variables
    assert text is None or prompt.text == text


def test_lines_of_code(tmp_path: Path):
    python = "\n\nPROMPT = (\n    'Summarize the text. '\n    'Answer in JSON.'\n)\n"
    script = "\nconst prompt = `Summarize the text.\nAnswer in ${n} words.`\n"
    found = find_hidden(write(tmp_path, **{"a.py": python, "b.ts": script}))
    assert [(each.file, each.line, each.end_line) for each in found] == [
        ("a.py", 4, 5),
        ("b.ts", 2, 3),
    ]


def test_what_is_not_walked(tmp_path: Path):
    folders = [".git", ".venv", "node_modules", "build", "prompts", ".trimtab", "tests", "x/dist"]
    files = {f"{folder}/a.py": PROMPT for folder in folders}
    files |= {
        "env/pyvenv.cfg": "",
        "env/lib/a.py": PROMPT,
        "web/a.min.js": "",
        "x/test_a.py": PROMPT,
    }
    files |= {"sub/trimtab.toml": "", "sub/prompts/a.py": PROMPT, "app/prompts/b.py": PROMPT}
    files |= {"packages/c.py": PROMPT, "lib/site-packages/c.py": PROMPT}
    write(tmp_path, **files)
    assert [prompt.file for prompt in find_hidden(tmp_path)] == [
        "app/prompts/b.py",
        "packages/c.py",
    ]


def test_links_pipes_and_files_that_cannot_be_read(tmp_path: Path):
    outside = write(tmp_path / "outside", **{"a.py": PROMPT, "sub/b.py": PROMPT})
    inside = write(tmp_path / "inside", **{"c.py": PROMPT, "kept": PROMPT})
    (inside / "a.py").symlink_to(outside / "a.py")
    (inside / "sub").symlink_to(outside / "sub")
    (inside / "loop").symlink_to(inside)
    (inside / "again.py").symlink_to(inside / "c.py")
    (inside / "broken.py").symlink_to(inside / "nothing")
    (inside / "linked.py").symlink_to(inside / "kept")
    os.mkfifo(inside / "pipe.py")
    (inside / "binary.py").write_bytes(b"\0" + PROMPT.encode())
    (inside / "latin.py").write_bytes(b"# \xff\n" + PROMPT.encode())
    (inside / "large.py").write_text(PROMPT + "#" * (1 << 20))
    assert [prompt.file for prompt in find_hidden(inside)] == ["c.py", "linked.py"]


def test_what_was_not_searched_is_told(tmp_path: Path):
    files = {
        "a.py": "def broken(:\n  'geheim'",
        "compose.yaml": "services:\n  a: {environment: {X: 'geheim'}\n",
        "k8s/a.yaml": "apiVersion: v1\nkind: ConfigMap\ndata: !x {}\n",
        "k8s/b.yaml": "apiVersion: v1\nkind: ConfigMap\n#" + "x" * (256 << 10),
        "other.yaml": "a: [",
        "bad.ts": "'`",
        "deep.py": "x = " + "(" * 5000,
    }
    survey = survey_hidden(write(tmp_path, **files))
    assert survey.prompts == []
    places = [finding.place for finding in survey.unread]
    assert places == ["a.py:1", "compose.yaml:3", "deep.py:1", "k8s/a.yaml:3", "k8s/b.yaml:1"]
    assert "geheim" not in str(survey.unread)


SECRETS = ["sk-" + "abc123" * 6, "AKIA" + "ABCDEFGH12345678", "ghp_" + "a1B2" * 9, "aB3" * 12]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_in_a_prompt_is_cut_out(tmp_path: Path, secret: str):
    text = f"You are a bot. Answer in JSON. Call the API with {secret} and say nothing else."
    code = f'prompt = f"You are a bot. Answer in JSON only. {{call({secret!r})}}"'
    found = find_hidden(write(tmp_path, **{".env": f'BOT_PROMPT="{text}"', "a.py": code}))
    assert len(found) == 2
    for prompt in found:
        told = [prompt.text, repr(prompt), prompt.why, prompt_file(prompt, model="m")]
        told.append(replacement(prompt, "bot"))
        assert not [each for each in told if secret in each]
        assert prompt.variables == ("secret_1",)


@pytest.mark.parametrize(
    "name", ["API_KEY", "apiKeyPrompt", "PROMPT_TOKEN", "SECRET_PROMPT", "PASSWORD", "openaikey"]
)
def test_what_smells_of_a_secret_is_not_reported(tmp_path: Path, name: str):
    line = f'{name}="You are a helpful assistant. Answer only in JSON."\n'
    files = {".env": line, "a.py": line, "b.ts": f"const {line}"}
    assert find_hidden(write(tmp_path, **files)) == []


def test_ids_are_unique_and_the_order_is_that_of_the_files(tmp_path: Path):
    files = {"a.py": PROMPT, "b/a.py": PROMPT, ".env": PROMPT.replace(" = ", "=")}
    found = find_hidden(write(tmp_path, **files))
    assert [(prompt.file, prompt.prompt_id) for prompt in found] == [
        (".env", "system"),
        ("a.py", "a"),
        ("b/a.py", "a-2"),
    ]


def test_words_of_names():
    assert words_of("SYSTEM_PROMPT") == ["system", "prompt"]
    assert words_of("systemPromptV2") == ["system", "prompt", "v2"]
    assert words_of("triage-prompt.txt") == ["triage", "prompt", "txt"]
    assert words_of("__") == []
