"""Files as other tools write them: imported, exported, imported again."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.formats.corpus import parsed
from trimtab.errors import ConfigError, UsageError
from trimtab.prompts.formats.border import ImportedPrompt, Origin
from trimtab.prompts.formats.table import FORMATS

FOLDER = Path(__file__).parent / "foreign"
BESIDE = {"_persona.prompt", "_tone.prompt", "chat.json", "turns.yml", "legacy.txt"}
SAMPLES = [
    (folder.name, file.name)
    for folder in sorted(FOLDER.iterdir())
    for file in sorted(folder.iterdir())
    if folder.name == "langfuse" or file.name not in BESIDE
]


def imported(name: str, file: str, **models: str) -> tuple[ImportedPrompt, ...]:
    folder = FOLDER / name

    def read(other: str) -> str | None:
        path = folder / other
        return path.read_text() if path.is_file() else None

    origin = Origin(file=file, models=models, read=read)
    return FORMATS[name].import_((folder / file).read_text(), origin).prompts


@pytest.mark.parametrize("name", FORMATS)
def test_there_are_enough_samples(name: str):
    assert sum(pair[0] == name for pair in SAMPLES) >= 8


@pytest.mark.parametrize(("name", "file"), SAMPLES)
def test_a_foreign_file_becomes_stable(name: str, file: str):
    for one in imported(name, file):
        prompt = parsed(one)
        exported = FORMATS[name].export(prompt)
        again = (
            FORMATS[name].import_(exported.text, Origin(file=file, read=exported.files.get)).prompts
        )
        assert [two.text for two in again] == [one.text], exported.text
        assert again[0].id == one.id
        assert again[0].files == one.files
        for remark in (*one.remarks, *exported.remarks):
            assert remark.place
            assert remark.remedy


@pytest.mark.parametrize(("name", "file"), SAMPLES)
def test_every_model_is_remarked_upon_until_it_is_mapped(name: str, file: str):
    for one in imported(name, file):
        model = parsed(one).behaviour.model
        assert any(model in remark.problem + remark.remedy for remark in one.remarks)
        foreign = "" if model == "choose-a-model" else model
        mapped = imported(name, file, **{foreign: "ours"})
        same = next(two for two in mapped if two.id == one.id)
        assert parsed(same).behaviour.model == "ours"
        assert not any("(model)" in r.place and "alias" in r.remedy for r in same.remarks)


def test_no_secret_is_carried_over():
    for name, file in SAMPLES:
        for one in imported(name, file):
            told = one.text + "".join(map(str, one.remarks))
            assert "sk-should-not-be-copied" not in told
            assert '"secret"' not in told
            assert "secret\n" not in told


@pytest.mark.parametrize(
    ("name", "file", "kept"),
    [
        ("dotprompt", "helpers.prompt", ('{{ "{{" }}lookup map key}}', '{{ "{{#" }}list items}}')),
        ("prompty", "jinja.prompty", ('{{ "{%" }} macro greet(n) %}',)),
        ("promptfoo", "nunjucks.yaml", ('{{ "{%" }} asyncAll i in xs %}',)),
        ("langfuse", "composed.json", ("@@@langfusePrompt:name=tone|label=production@@@",)),
        ("langfuse", "messages.json", ('{{ "<<" }}user>>', '"tool_call_id":"1"')),
        ("openai", "image.json", ('"file_id":"file_1"', "<<image photo>>")),
    ],
)
def test_what_has_no_equivalent_stays_visible_with_a_remark(
    name: str, file: str, kept: tuple[str, ...]
):
    (one, *_) = imported(name, file)
    for text in kept:
        assert text in one.text
    assert any("stays" in remark.problem for remark in one.remarks)


def test_a_menu_is_rendered_as_it_was_meant():
    (one,) = imported("dotprompt", "menu.prompt")
    prompt = parsed(one)
    assert prompt.id == "menu/suggest.short"
    assert prompt.behaviour.config == {
        "top_k": 20,
        "top_p": 0.8,
        "max_tokens": 300,
        "stop": ["END"],
    }
    dishes = [
        {"title": "Soup", "price": 5, "vegan": True},
        {"title": "Roast", "price": 19.5, "vegan": False},
    ]
    messages = prompt.render({"theme": "sea", "dishes": dishes}).messages
    assert messages == [
        {"role": "system", "content": "You invent dishes for a restaurant with the theme sea."},
        {
            "role": "user",
            "content": "What there is already:\n  - Soup for 5 (vegan),\n  - Roast for 19.5\n\n"
            'Suggest one more for "sea".',
        },
    ]


def test_a_placeholder_and_a_loop_over_history_become_the_place_of_the_callers_messages():
    for name, file in (
        ("langfuse", "chat.json"),
        ("prompty", "history.prompty"),
        ("dotprompt", "chat.prompt"),
        ("prompty", "thread.prompty"),
    ):
        (one,) = imported(name, file)
        assert [turn.role for turn in parsed(one).turns] == ["system", "history", "user"], file


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_prompt_or_a_clear_error(name: str, data: bytes):
    _imported_or_refused(name, data.decode("utf-8", "replace"))


_SCRAPS = [
    "---\n",
    "model: x\n",
    "{{",
    "}}",
    "{%",
    "%}",
    "#if a",
    "/if",
    "else",
    "for x in y",
    "endfor",
    "endif",
    "{{#each a}}",
    "{{/each}}",
    '{"prompt": ',
    '"x"',
    "[",
    "]",
    "{",
    "}",
    "prompts:\n",
    "- ",
    "user:\n",
    "\\",
    'role "user"',
    "history",
    "~",
    ">",
    "@key",
    "../",
    "this",
    '"instructions": "',
    '"',
    "\n",
    " ",
    "this.",
    "raw",
    "|",
    "\x00",
    "\ue000",
    "é",
]


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=250, deadline=None)
@given(scraps=st.lists(st.sampled_from(_SCRAPS), max_size=25))
def test_any_scraps_of_a_format_are_a_prompt_or_a_clear_error(name: str, scraps: list[str]):
    _imported_or_refused(name, "".join(scraps))
    _imported_or_refused(name, "---\nmodel: x\n---\n" + "".join(scraps))


def _imported_or_refused(name: str, text: str) -> None:
    try:
        prompts = FORMATS[name].import_(text).prompts
    except (ConfigError, UsageError) as error:
        prompts, refusal = (), str(error)
        assert len(refusal) > 20
    for one in prompts:
        found = _problems_of(one)
        assert found <= {remark.problem for remark in one.remarks}


def _problems_of(one: ImportedPrompt) -> set[str]:
    try:
        parsed(one)
    except ConfigError as error:
        return {finding.problem for finding in error.findings}
    return set()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dotprompt", "---\nmodel: x\n"),
        ("dotprompt", "---\n- a\n---\nx"),
        ("prompty", "---\na: !!python/object:os.system x\n---\nx"),
        ("promptfoo", "providers: [a]"),
        ("promptfoo", "prompts: []"),
        ("langfuse", "{"),
        ("langfuse", '{"name": "x"}'),
        ("langfuse", "[" * 100_000),
        ("openai", '{"prompt": {"id": "pmpt_1"}}'),
        ("openai", "7"),
    ],
)
def test_what_is_not_in_the_format_is_a_clear_error(name: str, text: str):
    with pytest.raises((ConfigError, UsageError)) as caught:
        FORMATS[name].import_(text, Origin(file="theirs"))
    assert len(str(caught.value)) > 20


def test_a_block_with_an_else_that_is_not_known_loses_nothing():
    text = "{{#if a}}one{{else lookup b}}two{{/if}}{{#each xs}}three{{else if q}}four{{/each}}"
    (one,) = FORMATS["dotprompt"].import_(f"---\nmodel: m\n---\n{text}").prompts
    rendered = parsed(one).render({}).messages[0]["content"]
    assert rendered == text


@pytest.mark.parametrize(
    "tag", ["{{#if a}}", "{{#each a}}{{@key}}", "{% if a %}", "{{ ", "{# ", "{{! "]
)
def test_what_is_never_closed_takes_no_time_and_stays(tag: str):
    for name in ("dotprompt", "prompty"):
        (one,) = FORMATS[name].import_(f"---\nmodel: m\n---\nuser:\n{tag * 500}x").prompts
        prompt = parsed(one)
        text = prompt.render({"a": "1"}).messages[0]["content"]
        assert text.endswith((tag * 500 + "x", "x")), text[-50:]
        assert one.remarks
