"""The division of a body into turns, and what becomes of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.files import file, parsed
from trimtab.errors import PromptVariables
from trimtab.prompts.body import Image, Text, parse_body
from trimtab.prompts.language import TemplateProblem

PHOTO = "input: {schema: {photo?: string, note?: string}}"


def roles(body: str) -> list[str]:
    return [turn.role for turn in parse_body(body)]


def test_without_a_marker_it_is_the_users() -> None:
    (turn,) = parse_body("\n\nhello\nyou\n")
    assert (turn.role, turn.parts) == ("user", (Text("hello\nyou", 3),))


def test_what_comes_before_the_first_marker_is_the_systems() -> None:
    assert roles("rules\n<<user>>\nhi") == ["system", "user"]
    assert roles("\n<<user>>\nhi") == ["user"]


def test_other_names_of_roles() -> None:
    body = "<<developer>>\na\n<< USER >>\nb\n<<model>>\nc\n<<history>>\n<<user>>  \nd"
    assert roles(body) == ["system", "user", "assistant", "history", "user"]


def test_only_whole_lines_are_markers() -> None:
    (turn,) = parse_body("say <<user>> here\n <<user>>\n<<user>>x")
    assert turn.role == "user"


def test_lines_are_those_of_the_body() -> None:
    turns = parse_body("<<system>>\n\na\n<<user>>\nb\n<<image photo>>\n\nc")
    assert [turn.line for turn in turns] == [1, 4]
    assert turns[1].parts == (Text("b", 5), Image("photo", 6), Text("c", 8))


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        ("", 1, "no text"),
        ("  \n ", 1, "no text"),
        ("<<system>>\n<<user>>\nx", 1, "empty"),
        ("a\n<<bot>>\nx", 2, "no marker"),
        ("a\n<<user ana>>\nx", 2, "no marker"),
        ("<<history>>\n<<user>>\na\n<<history>>", 4, "twice"),
        ("<<history>>\ntext", 1, "has a text"),
        ("<<system>>\n<<image x>>", 2, "outside a user"),
        ("<<image>>", 1, "no variable"),
        ("<<image a-b>>", 1, "no variable"),
        ("<<image _a>>", 1, "no variable"),
    ],
)
def test_what_is_wrong_and_where(body: str, line: int, words: str) -> None:
    with pytest.raises(TemplateProblem, match=words) as caught:
        parse_body(body)
    assert caught.value.line == line


def test_a_turn_that_is_left_empty_is_left_out() -> None:
    prompt = parsed(file("{% if note is defined %}\n{{ note }}\n{% endif %}\n<<user>>\nhi", PHOTO))
    assert [m["role"] for m in prompt.render({}).messages] == ["user"]
    assert [m["role"] for m in prompt.render({"note": "x"}).messages] == ["system", "user"]


def test_images_between_texts() -> None:
    prompt = parsed(file("<<user>>\nSee\n<<image photo>>\nand say.", PHOTO))
    assert prompt.render({}).messages == [{"role": "user", "content": "See\nand say."}]
    (message,) = prompt.render({"photo": "https://a.example/b.png"}).messages
    assert [part["type"] for part in message["content"]] == ["text", "image_url", "text"]
    for address in ("file:///etc/passwd", "javascript:x", "", "data:text/html,x"):
        with pytest.raises(PromptVariables, match="address of an image"):
            prompt.render({"photo": address})


def test_the_place_of_the_callers_messages() -> None:
    prompt = parsed(file("rules\n<<history>>\n<<user>>\nsum it up"))
    own = [{"role": "user", "content": "hello"}]
    assert [m["content"] for m in prompt.render({}).with_own(own)] == [
        "rules",
        "hello",
        "sum it up",
    ]
    atend = parsed(file("rules\n<<user>>\nfirst")).render({}).with_own(own)
    assert [m["content"] for m in atend] == ["rules", "first", "hello"]


LINES = st.lists(
    st.sampled_from(
        ["<<user>>", "<<system>>", "<<history>>", "<<image a>>", "<<x>>", "text", "", "<<"]
    )
)


@given(LINES)
def test_any_lines_are_turns_or_a_problem(lines: list[str]) -> None:
    body = "\n".join(lines)
    try:
        turns = parse_body(body)
    except TemplateProblem as error:
        assert 1 <= error.line <= max(1, len(lines))  # noqa: PT017 - both ends are right
        return
    for turn in turns:
        for part in turn.parts:
            found = part.source.split("\n")[0] if isinstance(part, Text) else "<<image a>>"
            assert lines[part.line - 1] == found
