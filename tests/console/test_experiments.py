"""The pages about experiments: what they say, what can be asked of them, and odd texts."""

import re
from collections.abc import Generator, Mapping
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typing_extensions import override

from console.experiments_stage import MARKUP, ODD, keep, lay_out
from evals.reports.results import gate
from harness import Gateway, project_text, running_gateway
from trimtab.archive import open_experiments
from trimtab.console.query import link
from trimtab.evals.reports.cases import case_views
from trimtab.evals.result import Result
from trimtab.testing import running_fault_provider

PAGE = "/console/experiments"


class Plain(HTMLParser):
    """Fails on markup that is none of ours."""

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        assert tag not in {"b", "i", "img", "style", "iframe"}, (tag, found)
        assert tag != "script" or "src" in found
        assert not [name for name in found if name.startswith("on") or name == "style"], found
        assert not (found.get("href") or "").startswith("javascript:")


@pytest.fixture(scope="module")
def shown(
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[tuple[Gateway, Mapping[str, Result]]]:
    folder = tmp_path_factory.mktemp("experiments")
    with (
        running_fault_provider() as provider,
        running_gateway(folder, project_text(provider.base_url)) as gateway,
    ):
        yield gateway, lay_out(gateway)
        assert not [line for line in gateway.output if "Traceback" in line or "defect" in line]


@pytest.fixture
def gateway(shown: tuple[Gateway, Mapping[str, Result]]) -> Gateway:
    return shown[0]


def raw(gateway: Gateway, path: str, status: int = 200) -> str:
    """The page; no text has become markup."""
    reply = gateway.request(path)
    assert reply.status == status, (path, reply.body[:2_000])
    html = reply.body.decode()
    parser = Plain()
    parser.feed(html)
    parser.close()
    return html


def told_by(gateway: Gateway, path: str, status: int = 200) -> str:
    """What a person reads of it, with single spaces."""
    return text_of(raw(gateway, path, status))


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def cases_of(html: str) -> list[str]:
    """Ids of the cases on a page, in their order."""
    return re.findall(r'class="case-id"><bdi>([^<]+)</bdi>', html)


def test_the_list_has_all_newest_first(gateway: Gateway):
    html = raw(gateway, PAGE)
    links = re.findall(rf'href="{PAGE}/(exp_\w+)"', html)
    assert links == [
        "exp_open", "exp_gate", "exp_fail", "exp_pass", "exp_first", "exp_run", ODD, "exp_old",
    ]  # fmt: skip
    rows = [text_of(row) for row in html.split("<tr ")[2:]]
    assert "not ended support-triage v13-draft v12 openai:gpt-5.2-2026-08-01 3 $1.23" in rows[0]
    assert "inconclusive support-triage v13-draft v12" in rows[1]
    assert "fail support-triage" in rows[2]
    assert "pass support-triage v13-draft none" in rows[4]
    assert "measured support-triage v13-draft none" in rows[5]
    assert 'aria-current="page">Experiments' in html


def test_the_list_of_one_suite(gateway: Gateway):
    html = raw(gateway, link(PAGE, suite=MARKUP))
    assert re.findall(rf'href="{PAGE}/(exp_\w+)"', html) == [ODD]
    assert "No experiments of this suite" in told_by(gateway, link(PAGE, suite="nothing"))


def test_nothing_yet(tmp_path: Path):
    with (
        running_fault_provider() as provider,
        running_gateway(tmp_path, project_text(provider.base_url)) as found,
    ):
        assert not list(tmp_path.glob(".trimtab/experiments*")), "opened when it is asked for"
        told = told_by(found, PAGE)
        assert "No experiments yet" in told
        assert "trimtab eval gate SUITE" in told
        keep(open_experiments(tmp_path / "trimtab.toml"), gate())
        assert "inconclusive" in told_by(found, PAGE), "what a command keeps is seen at once"


def test_one_experiment_says_what_its_report_says(gateway: Gateway):
    told = told_by(gateway, f"{PAGE}/exp_gate")
    assert "INCONCLUSIVE The numbers cannot tell. accuracy: The interval reaches" in told
    assert "accuracy 93.3% 91.1% -2.2 pp -6.1 to +1.7 pp margin 5.0 pp inconclusive" in told
    assert "latency 884 ms 802 ms" in told
    assert "decides nothing" in told
    assert "To resolve: about 140 more cases, or 5 repeats of each" in told
    assert "not measured No case says whether it is to be refused ( expected.refuse )." in told
    assert "358 of 360" in told
    assert "removed: Thursday" in told
    assert "added: Friday" in told
    for path in (f"{PAGE}/exp_first", f"{PAGE}/exp_run", f"{PAGE}/exp_pass", f"{PAGE}/exp_fail"):
        assert "not measured" in told_by(gateway, path), path


def test_critical_cases_lead_to_their_answers(gateway: Gateway):
    html = raw(gateway, f"{PAGE}/exp_fail")
    to = re.search(r'<a href="([^"]+)"><bdi>app-0003</bdi>', html)
    assert to is not None
    assert cases_of(raw(gateway, unescape(to[1]))) == ["app-0003"]


def test_cases_are_filtered_sorted_and_in_pages(shown: tuple[Gateway, Mapping[str, Result]]):
    gateway, results = shown
    views = case_views(results["exp_fail"])
    path = f"{PAGE}/exp_fail"
    assert cases_of(raw(gateway, path)) == [view.case.case_id for view in views[:40]]
    second = re.search(r'href="([^"]+)">More cases', raw(gateway, path))
    assert second is not None
    assert cases_of(raw(gateway, unescape(second[1]))) == [
        view.case.case_id for view in views[40:80]
    ]
    worse = [view for view in views if view.state == "worse"]
    found: list[str] = []
    for skip in range(0, len(worse), 40):
        found += cases_of(raw(gateway, link(path, state="worse", skip=str(skip))))
    assert found == [view.case.case_id for view in worse]
    errors = [view.case.case_id for view in views if view.errors]
    assert cases_of(raw(gateway, link(path, only="errors"))) == errors
    critical = [view.case.case_id for view in views if view.case.critical]
    assert cases_of(raw(gateway, link(path, only="critical"))) == critical
    assert cases_of(raw(gateway, link(path, find="SALES-0042"))) == ["sales-0042"]
    sales = cases_of(raw(gateway, link(path, tag="sales", state="changed")))
    assert sales
    assert all(name.startswith("sales-") for name in sales)
    slowest = max(views, key=lambda view: view.case.candidate.latency_ms)
    assert cases_of(raw(gateway, link(path, order="latency")))[0] == slowest.case.case_id
    costliest = max(views, key=lambda view: view.case.candidate.cost_nanousd)
    assert cases_of(raw(gateway, link(path, order="cost")))[0] == costliest.case.case_id
    drop = max(views, key=lambda view: view.drop)
    first = cases_of(raw(gateway, link(path, order="drop")))[0]
    assert next(view for view in views if view.case.case_id == first).drop == drop.drop
    assert "No case matches." in told_by(gateway, link(path, find="no such words"))


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (f"{PAGE}/exp_nothing", 404, "no experiment exp_nothing"),
        (f"{PAGE}/%3Cb%3E", 404, "no experiment <b>"),
        (f"{PAGE}/exp_gate?state=odd", 400, "changed, worse"),
        (f"{PAGE}/exp_gate?only=odd", 400, "critical, errors"),
        (f"{PAGE}/exp_gate?order=odd", 400, "matters, drop, cost, latency"),
        (f"{PAGE}/exp_gate?skip=odd", 400, "not a number of cases"),
        (f"{PAGE}/exp_gate?case=odd", 200, "No case matches."),
    ],
)
def test_a_wrong_address_is_explained(gateway: Gateway, path: str, status: int, words: str):
    assert words in told_by(gateway, path, status)


def test_what_cannot_be_shown_is_explained(gateway: Gateway):
    assert "This experiment has not ended" in told_by(gateway, f"{PAGE}/exp_open")
    told = told_by(gateway, f"{PAGE}/exp_old")
    assert "written by another version of trimtab. Run the suite again" in told
    large = gate(notes=["x" * 17_000_000])
    keep(open_experiments(gateway.folder / "trimtab.toml"), large, id="exp_large", started_ns=2)
    assert "too large for a page of the console" in told_by(gateway, f"{PAGE}/exp_large")


def test_odd_texts_are_only_text(gateway: Gateway):
    for path in (PAGE, f"{PAGE}/{ODD}", link(f"{PAGE}/{ODD}", find=MARKUP, tag=MARKUP)):
        html = raw(gateway, path)  # which looks for markup
        assert "window.pwned" in html
        assert "\u202e" not in re.sub(r'\svalue="[^"]*"', "", html)
        assert "{{ 7 * 7 }}" in unescape(html)
