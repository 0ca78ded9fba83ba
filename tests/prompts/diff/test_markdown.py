"""A difference as a comment on a pull request."""

import json

from hypothesis import assume, example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from prompts.diff.versions_of import prompt
from trimtab.errors import ConfigError
from trimtab.prompts.diff.compare import compare
from trimtab.prompts.diff.markdown import as_markdown
from trimtab.prompts.diff.rendered import compare_rendered
from trimtab.prompts.parse import parse_prompt

PARSER = MarkdownIt("commonmark").enable(["strikethrough", "table"])
OURS = {
    *("heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "fence"),
    *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
    *("blockquote_open", "blockquote_close"),
}
INLINE = {
    *("text", "code_inline", "softbreak", "strong_open", "strong_close", "s_open", "s_close"),
}
PIECES = (
    *("`", "``", "```", "\n", "\n\n", "~~~", "~~", "**", "_", "<b>", "<!--", "-->", "</details>"),
    *("# ", "- ", "1. ", "> ", "|", "---\n", "@ada", "#12", "[a](b)", "![", "\\", "&lt;", "$$"),
    *("https://example.com", "www.example.com", ":smile:", " ", "word", "words", "\u202e", "    "),
)
NASTY = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join)


def read(text: str) -> tuple[list[Token], list[Token]]:
    """Blocks and inline tokens, as a reader of Markdown finds them."""
    blocks = PARSER.parse(text)
    return blocks, [inner for token in blocks for inner in token.children or ()]


def assert_harmless(text: str) -> None:
    blocks, inner = read(text)
    assert {token.type for token in blocks} <= OURS
    assert {token.type for token in inner} <= INLINE
    for token in blocks:
        if token.type == "fence":
            assert token.info == "diff"
            assert all(line[0] in " -+@" for line in token.content.splitlines())
    outside = "".join(token.content for token in inner if token.type == "text")
    assert not set("@#<[\\|`") & set(outside), outside


@given(old=NASTY, new=NASTY)
@example(old="a\n```\n\n# Approved\n", new="a\n````\n<!--")
@example(old="a\n```\n# b", new="c\n```\n# d")
@example(old="word **word** word", new="word words word")
def test_no_text_of_a_prompt_is_more_than_text(old: str, new: str):
    def version(text: str):
        quoted = json.dumps(text)
        schema = f"{{type: object, properties: {{{quoted}: {{enum: [{quoted}]}}}}}}"
        front = (
            f"description: {quoted}\nconfig: {{k: {quoted}, {quoted}: 1}}\nsuite: {quoted}\n"
            f"owners: [{quoted}]\ninput: {{schema: {schema}}}\noutput: {{schema: {schema}}}"
        )
        body = f'<<system>>\n.{text}\n<<user>>\nx{{% include "_partials/a.md" %}}'
        return prompt(front, body, model=quoted, a=text)

    try:
        before, after = version(old), version(new)
    except ConfigError:
        assume(False)
        raise
    rendered = compare_rendered(before, after, {old: old, new: new}, case=old)
    difference = compare(before, after, names=(old, new))
    assert_harmless(as_markdown(difference, [rendered]))


def shown(old: str, new: str) -> str:
    return as_markdown(compare(prompt(body=old), prompt(body=new), names=("v1", "draft")))


def test_a_change_of_words_is_shown_in_the_line_and_as_lines():
    assert shown("Be kind to users.\nAnswer.", "Be short to users.\nAnswer.") == (
        "### Prompt `x`: `v1` → `draft`\n\n"
        "**The behaviour changes.** Callers may go on as before.\n\n"
        "#### Message 1 (user): changed\n\n"
        "> Words: Be ~~kind~~ **short** to users. Answer.\n\n"
        "```diff\n-Be kind to users.\n+Be short to users.\n Answer.\n```\n"
    )


def test_words_are_shown_in_the_line_only_where_that_is_safe():
    for old, new in (
        ("Be kind", "Be <b>kind"),
        ("Ask @ada or zoe", "Ask @ada or bob"),
        ("See www.example.com", "See nothing"),
        ("One", "One\n\nTwo"),
        ("use snake_case", "use camelCase"),
    ):
        assert "> Words" not in shown(old, new), old
    assert "> Words: Be kind **and short**" in shown("Be kind", "Be kind and short")


def test_marks_are_read_as_marks():
    old = "Be very kind, always. Answer in the language of the user."
    new = "Be kind, always. Answer in a language of the user."
    types = [token.type for token in read(shown(old, new))[1]]
    assert types.count("s_open") == types.count("s_close") == 2
    assert types.count("strong_open") == types.count("strong_close") == 2


def test_what_callers_have_to_do_stands_first():
    old = prompt("input: {schema: {ticket: string}}", "{{ ticket }}")
    new = prompt("input: {schema: {ticket: string, locale: string}}", "{{ ticket }}")
    text = as_markdown(compare(old, new))
    assert "**The behaviour changes, and not every caller may go on as before.**" in text
    assert "#### For callers\n\n- variable `locale` is now required\n\n#### Fields" in text
    assert '- `input.schema.properties.locale`: added `{"type":"string"}`' in text


def test_a_change_that_is_none_says_so():
    text = as_markdown(compare(prompt("description: a"), prompt("description: b")))
    assert "**The behaviour does not change**: this is the same version. Only what the" in text
    assert "- `description`: `a` → `b`" in text
    same = as_markdown(compare(prompt(), prompt()))
    assert same.endswith("**The behaviour does not change**: this is the same version.\n")


def test_hidden_characters_and_spaces_at_the_end_are_shown():
    text = shown("Be kind", "Be\u200b kind  ")
    assert "+Be<U+200B> kind" in text
    assert "+Be kind··" in shown("Be kind\n.", "Be kind  \n.")


def test_two_prompts_are_named_and_a_change_of_layout_is_told():
    other = parse_prompt("y", {"y.prompt.md": "---\nmodel: m\n---\n\nHello"}.get)
    text = as_markdown(compare(prompt(), other, names=("v1", "v2")))
    assert text.startswith("### Prompts: `x` `v1` → `y` `v2`\n")
    text = shown("<<system>>\nHi", "<<developer>>\nHi")
    assert "The body differs only in markers and empty lines around its messages." in text


def test_a_long_text_of_a_field_is_shown_as_lines():
    words = "Looks for a ticket that is like the one that was asked for, and tells its number."
    text = as_markdown(
        compare(prompt(f"description: {words}"), prompt(f"description: {words[:-1]}!"))
    )
    assert "- `description`: changed\n\n```diff\n" in text


def test_a_comment_is_never_longer_than_a_pull_request_allows():
    partials = {f"p{number}": "word " * 2_000 for number in range(30)}
    body = "".join(f'{{% include "_partials/{name}.md" %}}' for name in partials)
    text = as_markdown(compare(prompt(), prompt(body=body, **partials)))
    assert len(text) <= 60_500
    assert "more parts are left out: the comment is too long." in text
    assert "@@ the rest is left out @@" in text
    assert_harmless(text)


def test_what_a_model_sees_is_shown_for_a_case():
    old, new = prompt(body="Hi {{ name }}"), prompt(body="Hello {{ name }}")
    case = compare_rendered(old, new, {"name": "Ada"}, case="ada")
    text = as_markdown(compare(old, new), [case, compare_rendered(old, new, {})])
    assert (
        "#### Rendered for `ada`\n\nMessage 1 (user): changed\n\n```diff\n-Hi Ada\n+Hello Ada"
        in text
    )
    assert "#### Rendered for one case\n\nIt cannot be rendered before: `The prompt uses" in text
    same = compare_rendered(old, old, {"name": "Ada"})
    assert "A model sees the same." in as_markdown(compare(old, old), [same])
