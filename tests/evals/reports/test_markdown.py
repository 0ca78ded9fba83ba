"""A comment on a pull request: read as GitHub reads it, safe whatever is in it, never too long."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from typing_extensions import override

from evals.reports.results import HOSTILE, first_release, gate, hostile, make_cases, run_of_one
from trimtab.evals.reports.markdown import MOST_CHARACTERS, as_markdown
from trimtab.evals.reports.markdown_text import cell, prose
from trimtab.evals.result import Result

PARSER = MarkdownIt("commonmark").enable(["strikethrough", "table"])
BLOCKS = {
    *("heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline"),
    *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close", "html_block"),
    *(f"{part}_{end}" for part in ("table", "thead", "tbody", "tr", "th", "td") for end in
      ("open", "close")),
}  # fmt: skip
INLINE = {"text", "code_inline", "softbreak", "strong_open", "strong_close"}
TAGS = {
    *("details", "summary", "p", "code", "br", "del", "ins", "em"),
    *("table", "tr", "th", "td", "ul", "li"),
}
# What a site makes a link or a message of, outside of code.
CALLS = re.compile(r"@|#\d|https?:|www\.|GH-\d|:\w+:|\$|\b[0-9a-f]{7,}\b")


class Html(HTMLParser):
    """Which tags a block of HTML has, whether they are closed, and its text outside of code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.bare = ""
        self.feed(text)
        self.close()
        assert not self.open, self.open

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not attrs
        self.tags.add(tag)
        if tag != "br":
            self.open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        if "code" not in self.open:
            self.bare += data

    @override
    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def tokens(text: str) -> tuple[list[Token], list[Token]]:
    blocks = PARSER.parse(text)
    return blocks, [inner for token in blocks for inner in token.children or ()]


def assert_harmless(text: str) -> None:
    assert len(text) <= MOST_CHARACTERS
    blocks, inner = tokens(text)
    assert {token.type for token in blocks} <= BLOCKS
    assert {token.type for token in inner} <= INLINE
    told = "\n".join(token.content for token in inner if token.type == "text")
    for token in blocks:
        if token.type == "html_block":
            html = Html(token.content)
            assert html.tags <= TAGS
            told += f"\n{html.bare}"
    assert not CALLS.search(told), CALLS.search(told)
    assert not [found for found in text if not found.isprintable() and found not in "\n\t"]


def cells_of(text: str) -> set[int]:
    """How many cells the rows of tables have."""
    rows = re.findall(r"<tr>(.*?)</tr>", PARSER.render(text.partition("<details>")[0]), re.DOTALL)
    return {len(re.findall(r"<t[hd]", row)) for row in rows}


@pytest.mark.parametrize("result", [gate(), gate("fail"), first_release(), run_of_one()])
def test_it_is_read_as_it_is_meant(result: Result):
    text = as_markdown(result)
    assert_harmless(text)
    assert cells_of(text) == ({7} if result.comparisons else {6})


def test_verdict_reasons_and_table_come_first():
    blocks = as_markdown(gate()).split("\n\n")
    assert blocks[0] == "### INCONCLUSIVE: `support-triage: v13-draft against v12`"
    assert blocks[1] == "**INCONCLUSIVE.** The numbers cannot tell."
    assert blocks[2].startswith("- accuracy: The interval reaches beyond the margin")
    row = "| accuracy | 93.3% | 91.1% | -2.2 pp | -6.1 to +1.7 pp | 5.0 pp | **inconclusive** |"
    assert row in blocks[3]
    none = " | ".join(["\N{EN DASH}"] * 3)
    assert f"| refusal | {none} |  |  | not measured |" in blocks[3]
    text = as_markdown(gate())
    assert "- accuracy: about 140 more cases, or 5 repeats of each" in text
    assert "- refusal: No case says whether it is to be refused (`expected.refuse`)." in text
    assert "- Spent: `$1.23` (of it judges `$0.234`)" in text
    assert text.endswith("Note: The provider served the same model throughout.\n")


def test_a_case_has_both_answers_and_the_words_that_differ():
    text = as_markdown(gate())
    assert "<details><summary><code>sales-0006</code> worse: <code>accuracy</code> 100.0%" in text
    assert "<th>Baseline, repeat 1 of 3</th><th>Candidate, repeat 1 of 3</th>" in text
    assert "back on <del>Thursday</del>. We" in text
    assert "back on <ins>Friday</ins>. We" in text
    assert "<code>Expected the team sales.</code>" in text


def test_the_repeat_that_differs_most_is_shown():
    (block,) = re.findall(r"<details><summary><code>returns-0012.*?</details>", as_markdown(gate()),
                          re.DOTALL)  # fmt: skip
    assert "repeat 3 of 3" in block
    assert "<ins>billing</ins>" in block


def test_critical_cases_are_told():
    text = as_markdown(gate("fail"))
    assert "**Critical cases that got worse: 1**" in text
    assert "- `app-0003`, accuracy: 0 of 3 now, 3 before, p = 0.05. It passed" in text
    assert "</code> critical, " in text


@pytest.mark.parametrize("name", HOSTILE)
def test_odd_texts_are_only_text(name: str):
    text = as_markdown(hostile(HOSTILE[name]))
    assert_harmless(text)
    assert cells_of(text) == {7}


PIECES = (
    *("`", "``", "```", "\n", "\n\n", "~~", "**", "_", "<b>", "<!--", "-->", "</details>", "</td>"),
    *("# ", "- ", "1. ", "> ", "|", "\\|", "---\n", "@ada", "#12", "[a](b)", "![", "\\", "&lt;"),
    *(
        "https://e.example",
        "www.e.example",
        ":smile:",
        " ",
        "word",
        "\u202e",
        "    ",
        "$",
        "beefcafe",
    ),
)
NASTY = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join)


@given(NASTY)
@example("`a``b`")
@example("\\|`|")
def test_no_sentence_is_more_than_text(text: str):
    assert_harmless(f"- {prose(text)}\n")
    assert_harmless(f"Note: {prose(text)}\n")
    table = f"| a | b |\n| --- | --- |\n| {cell(text)} | z |\n"
    assert_harmless(table)
    assert cells_of(table) == {2}
    rendered = PARSER.render(table)
    assert rendered.count("<td>z</td>") == 1


def test_every_word_of_a_sentence_is_kept():
    text = "Ask @ada about `a|b` and x|y, see https://e.example or 1.50 $ (p = 0.04)."
    shown = Html(PARSER.renderInline(prose(text)))
    assert shown.tags == {"code"}
    everything = re.sub(r"<[^>]+>", "", PARSER.renderInline(prose(text)))
    assert everything == text.replace("`", "")


def test_it_is_never_too_long_and_says_what_is_left_out():
    cases = make_cases(400, drop=0.9)
    text = as_markdown(gate("fail", count=400, drop=0.9, cases=cases), most_cases=400)
    assert len(text) <= MOST_CHARACTERS
    assert len(text) > 60_000, "the room is used"
    left = re.search(r"(\d+) more cases that changed are left out here; the HTML report", text)
    assert left is not None
    shown = text.count("<details>")
    counts = text.partition("**Cases**")[2].partition("\n")[0]
    changed = sum(map(int, re.findall(r"(\d+) (?:worse|mixed|unanswered|better|reworded)", counts)))
    assert shown + int(left[1]) == changed
    assert "Spent" in text, "what it took is not what goes"


def test_characters_beyond_the_basic_plane_count_twice():
    made = hostile("\N{SLIGHTLY SMILING FACE}" * 60_000)
    text = as_markdown(made)
    assert len(text.encode("utf-16-le")) // 2 <= MOST_CHARACTERS
    assert_harmless(text)


def test_long_answers_are_cut_and_say_so():
    made = gate()
    worse = next(case for case in made.cases if case.case_id == "sales-0006")
    long = "word " * 9_000
    assert worse.baseline is not None
    sides = [worse.baseline, worse.candidate]
    sides = [type(side)(texts=[f"{number}{long}"], scores=side.scores) for number, side in
             enumerate(sides)]  # fmt: skip
    case = type(worse)(
        case_id="x", cluster="", tags=[], critical=False, asked=long, candidate=sides[1],
        baseline=sides[0],
    )  # fmt: skip
    text = as_markdown(gate(cases=[case]))
    assert "43,501 characters are left out." in text
    assert_harmless(text)
