"""The HTML file: one file, one policy, nothing from outside that is more than text."""

import io
import re
import tracemalloc
from base64 import b64encode
from collections import Counter
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from typing_extensions import override

from evals.reports.results import (
    ANSWERS,
    HOSTILE,
    first_release,
    gate,
    hostile,
    make_cases,
    run_of_one,
)
from trimtab.evals.reports.html.file import MOST_FULL, MOST_LISTED, write_html
from trimtab.evals.result import Result

VOID = {"meta", "br", "input", "line", "rect", "circle", "path"}
OURS = {
    *("html", "head", "meta", "title", "style", "body", "main", "section", "script", "a", "p"),
    *("h1", "h2", "h3", "div", "span", "bdi", "code", "strong", "small", "br", "ul", "li", "dl"),
    *("dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "pre"),
    *("ins", "del", "figure", "figcaption", "label", "input", "select", "option", "button"),
    *("svg", "line", "rect", "circle", "path", "g", "text", "desc"),
}


class Read(HTMLParser):
    """A page as a browser would take it apart; whatever is not ours is an error."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.open: list[str] = []
        self.pieces: list[str] = []
        self.policy = ""
        self.inline: dict[str, str] = {}
        self.feed(page)
        self.close()
        assert not self.open, self.open
        assert max(self.ids.values()) == 1, self.ids.most_common(1)
        self.words = " ".join(self.pieces)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in OURS, tag
        found = dict(attrs)
        assert not [name for name in found if name.startswith("on") or name == "style"]
        assert not found.keys() & {"src", "srcset", "action", "formaction", "xlink:href"}
        assert (found.get("href") or "#").startswith("#")
        if "id" in found:
            self.ids[found["id"] or ""] += 1
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"] or ""
        if tag not in VOID:
            self.open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.handle_starttag(tag, attrs)

    @override
    def handle_data(self, data: str) -> None:
        inside = self.open[-1] if self.open else ""
        if inside in {"style", "script"}:
            self.inline[inside] = self.inline.get(inside, "") + data
        else:
            self.pieces.append(data)


def page(result: Result) -> str:
    file = io.BytesIO()
    write_html(result, file)
    return file.getvalue().decode()


@pytest.mark.parametrize("result", [gate(), gate("fail"), first_release(), run_of_one()])
def test_the_page_allows_its_own_style_and_script_and_nothing_else(result: Result):
    read = Read(page(result))
    parts = [part.strip().partition(" ") for part in read.policy.split(";")]
    policy = {directive: value for directive, _, value in parts}
    assert policy.keys() == {"default-src", "style-src", "script-src", "base-uri", "form-action"}
    for directive, tag in (("style-src", "style"), ("script-src", "script")):
        digest = b64encode(sha256(read.inline[tag].encode()).digest()).decode()
        assert policy.pop(directive) == f"'sha256-{digest}'"
    assert set(policy.values()) == {"'none'"}
    assert "http" not in re.sub(r"<style>.*?</style>", "", page(result), flags=re.DOTALL).replace(
        "http-equiv", ""
    )
    assert not re.search(r"url\(|@import|expression", read.inline["style"])


def test_what_it_says():
    words = " ".join(Read(page(gate())).words.split())
    assert "INCONCLUSIVE The numbers cannot tell. accuracy: The interval reaches beyond" in words
    assert "accuracy 93.3% 91.1% -2.2 pp -6.1 to +1.7 pp margin 5.0 pp inconclusive" in words
    assert "not measured No case says whether it is to be refused" in words
    assert "To resolve: about 140 more cases, or 5 repeats of each" in words
    assert "tone" in words
    assert "The judge has no calibration file." in words
    assert "returns accuracy 15 -11.0 pp p = 0.004 differs" in words
    assert "358 of 360" in words
    assert "180 of earlier experiments" in words
    assert "The provider served the same model throughout." in words
    assert "Expected the team sales." in words


def test_words_that_differ_are_marked_on_their_side():
    html = page(gate())
    assert '<del><span class="hidden-text">removed: </span>Thursday</del>' in html
    assert '<ins><span class="hidden-text">added: </span>Friday</ins>' in html
    before = html.index("removed: </span>Thursday</del>")
    assert html.rindex("<h3", 0, before) == html.rindex('<h3 class="side">Baseline', 0, before)


def test_pictures_say_in_words_what_they_show():
    html = page(gate())
    assert html.count('class="interval ') == 6
    assert 'aria-label="accuracy: change -2.2 pp, interval -6.1 to +1.7 pp, margin 5.0 pp"' in html
    assert "How accuracy changed over cases" in html
    assert "Latency of cases" in html
    assert re.search(r"baseline: median \d+ ms, 5 to 95 % of cases \d+ ms to", html)
    some = page(gate(cases_total=500))
    assert "How accuracy changed over cases" not in some, "of a choice of cases it would mislead"
    assert "This result holds 60 of 500 cases" in some


def test_a_critical_case_leads_to_its_answers():
    html = page(gate("fail"))
    number = re.search(r'<a href="#(case-\d+)"><bdi>app-0003</bdi>', html)
    assert number is not None
    case = html[html.index(f'id="{number[1]}"') :]
    assert "app-0003" in case[: case.index("</summary>")]
    assert html.index(f'id="{number[1]}"') == html.index('id="case-')


@pytest.mark.parametrize("name", HOSTILE)
def test_odd_texts_are_only_text(name: str):
    html = page(hostile(HOSTILE[name]))
    read = Read(html)
    assert "pwned" not in "".join(read.inline.values())
    assert not [found for found in html if not found.isprintable() and found not in "\n\r\t"]
    if name == "template":
        assert "{{ 7 * 7 }} {% raw %} {# c #} ${x}" in read.words
    if name == "markup":
        assert HOSTILE["markup"] in read.words
    if name == "hidden":
        assert "\u27e6U+202E\u27e7gnp.exe" in read.words


# ------------------------------------------------------------------ size


class Meter(io.RawIOBase):
    """A file that keeps what is written to it, piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, piece: Any, /) -> int:
        self.pieces.append(bytes(piece))
        return len(piece)


def test_many_cases_are_cut_and_the_page_says_so():
    count = MOST_LISTED + 500
    cases = make_cases(count)
    file = Meter()
    write_html(gate(count=count, cases=cases), file)  # pyright: ignore[reportArgumentType] - it writes
    html = b"".join(file.pieces).decode()
    assert html.count('<details class="case"') == MOST_LISTED
    assert html.count("are not in this file") == MOST_LISTED - MOST_FULL
    words = " ".join(Read(html).words.split())
    assert (
        "Here are 300 cases with their answers, those that matter first, then 2,700 in one line; "
        "500 more cases are left off. Figures above are of all cases;"
    ) in words
    assert len(html) < 6_000_000
    assert max(map(len, file.pieces)) < 200_000, "it is written piece by piece"
    states = re.findall(r'data-state="(\w+)"', html)
    assert states.index("same") > states.count("worse") - 1, "what matters is not what is cut"


def test_a_few_very_long_answers_do_not_make_a_page_that_no_browser_opens():
    long = (ANSWERS[0] + "\n") * 3_000
    cases = [replaced(case, long) for case in make_cases(40)]
    html = page(gate(count=40, cases=cases))
    assert len(html) < 9_000_000
    assert "are not in this file" in html
    assert re.search(r"[\d,]+ more characters of the longer answer\.", html)


def replaced(case: Any, long: str) -> Any:
    """The case with answers of half a megabyte."""
    other = long.replace("lamp", "desk")
    return msgspec.structs.replace(
        case,
        candidate=msgspec.structs.replace(case.candidate, texts=[long] * 3),
        baseline=msgspec.structs.replace(case.baseline, texts=[other] * 3),
    )


@pytest.mark.soak
def test_twenty_thousand_cases():
    """What is written does not grow with the suite, and no copy of it is in memory."""
    cases = make_cases(20_000)
    made = gate(count=20_000, cases=cases)
    small = page(gate(count=3_000, cases=cases[:3_000]))
    tracemalloc.start()
    html = page(made)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(html) < 1.5 * len(small)
    assert peak < 120_000_000, "20,000 views of cases, and one page"
