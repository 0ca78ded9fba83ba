"""Reports of experiments in a real browser: the file, and the console's pages with the same."""

import time
from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.stage import SCREENSHOTS, Watched, open_context
from browser.test_looks import CROWDED, VIEWS, WIDE, check_page
from browser.test_looks import settle as painted
from console.experiments_stage import ODD, lay_out
from evals.reports.results import (
    HOSTILE,
    gate,
    hostile,
    make_cases,
    run_of_one,
)
from harness import Gateway, project_text, running_gateway
from trimtab.console.query import link
from trimtab.evals.reports.files import write_report
from trimtab.testing import running_fault_provider

PAGE = "/console/experiments"
PATHS = {
    "experiments": PAGE,
    "experiments-none": link(PAGE, suite="nothing"),
    "experiment-fail": f"{PAGE}/exp_fail",
    "experiment-run": f"{PAGE}/exp_run",
    "experiment-odd": f"{PAGE}/{ODD}",
    "experiment-open": f"{PAGE}/exp_open",
    "experiment-filtered": link(f"{PAGE}/exp_fail", state="better", tag="sales"),
}
RESULTS = {
    "gate": gate(),
    "fail": gate("fail", count=120, drop=0.2),
    "run": run_of_one(),
    "odd": hostile(HOSTILE["markup"] + HOSTILE["hidden"] + "W" * 80),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    folder = tmp_path_factory.mktemp("kept")
    with (
        running_fault_provider() as provider,
        running_gateway(folder, project_text(provider.base_url)) as gateway,
    ):
        lay_out(gateway)
        yield gateway
        assert not [line for line in gateway.output if "Traceback" in line or "defect" in line]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    found = {name: folder / f"{name}.html" for name in RESULTS}
    for name, file in found.items():
        write_report(RESULTS[name], file)
    return found


def origin(gateway: Gateway) -> str:
    return gateway.url.removesuffix("/v1")


def picture(page: Page, name: str, width: int) -> None:
    """Taken, and nothing in it is wider than the window."""
    page.locator("details.case").first.evaluate_all("found => found.forEach(d => d.open = true)")
    painted(page)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    tall = page.evaluate("document.documentElement.scrollHeight") > 15_000
    page.screenshot(path=SCREENSHOTS / f"{name}-{width}.png", full_page=not tall)
    if page.evaluate("document.documentElement.scrollWidth") > width:
        raise AssertionError((name, page.evaluate(WIDE, width)))
    assert page.evaluate(CROWDED) == [], name


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
def test_pictures(browser: Browser, kept: Gateway, files: dict[str, Path], width: int, scheme: str):
    with open_context(browser, width, scheme) as context:
        watched = Watched(context, origin(kept))
        for name, path in PATHS.items():
            picture(watched.open(path), f"{name}-{scheme}", width)
        watched.check()
    with open_context(browser, width, scheme) as context:
        watched = Watched(context, "file://")  # any request but for the file is a problem
        for name, file in files.items():
            picture(watched.open(str(file)), f"report-{name}-{scheme}", width)
        watched.check()


def test_nothing_is_out_of_reach(browser: Browser, kept: Gateway, files: dict[str, Path]):
    addresses = {name: origin(kept) + PATHS[name] for name in ("experiments", "experiment-fail")}
    addresses |= {f"report-{name}": f"file://{files[name]}" for name in ("gate", "odd")}
    with open_context(browser, bypass_csp=True) as context:
        page = context.new_page()
        for name, address in addresses.items():
            page.goto(address)
            # All cases are alike, and each of them takes a while to measure.
            page.evaluate(
                "[...document.querySelectorAll('details.case')].slice(3).forEach(d => d.remove())"
            )
            check_page(page, name)


def shown(page: Page) -> list[str]:
    return page.locator("details.case:visible .case-id bdi").all_inner_texts()


def test_cases_are_filtered_and_sorted(browser: Browser, files: dict[str, Path]):
    with open_context(browser) as context:
        watched = Watched(context, "file://")
        page = watched.open(str(files["fail"]))
        everything = shown(page)
        assert len(everything) == 120
        expect(page.get_by_role("status")).to_have_text("120 of 120 cases here")
        page.get_by_label("What became of it").select_option("better")
        better = shown(page)
        assert 0 < len(better) < 120
        expect(page.get_by_role("status")).to_have_text(f"{len(better)} of 120 cases here")
        page.get_by_label("What became of it").select_option("changed")
        assert len(shown(page)) > len(better)
        page.get_by_label("Tag", exact=True).select_option("sales")
        assert all(name.startswith("sales-") for name in shown(page))
        page.get_by_role("button", name="Clear").click()
        assert shown(page) == everything
        page.get_by_label("Only").select_option("errors")
        assert shown(page)
        assert set(shown(page)) <= {f"{kind}-{number:04}" for number in range(13, 120, 29)
                                    for kind in ("billing", "sales", "app", "returns")}  # fmt: skip
        page.get_by_label("Only").select_option("critical")
        assert len(shown(page)) == 6
        page.get_by_label("Only").select_option("")
        page.get_by_label("Find").fill("NORWAY")
        expect(page.get_by_role("status")).to_have_text("30 of 120 cases here")
        page.get_by_label("Find").fill("")
        page.get_by_label("Order").select_option("latency")
        times = page.locator("details.case").evaluate_all("all => all.map(d => +d.dataset.latency)")
        assert times == sorted(times, reverse=True)
        page.get_by_label("Order").select_option("")
        expect(page.get_by_role("status")).to_have_text("120 of 120 cases here")
        assert shown(page) == everything
        watched.check()


def test_a_critical_case_is_opened_from_above(browser: Browser, files: dict[str, Path]):
    with open_context(browser) as context:
        watched = Watched(context, "file://")
        page = watched.open(str(files["fail"]))
        case = page.locator("details.case", has_text="app-0003").first
        assert case.get_attribute("open") is None
        page.get_by_label("What became of it").select_option("same")
        page.get_by_role("link", name="app-0003").focus()
        page.keyboard.press("Enter")
        expect(case).to_have_attribute("open", "")
        expect(case.get_by_text("Asked", exact=True)).to_be_in_viewport()
        watched.check()


def test_the_file_is_whole_without_scripts(browser: Browser, files: dict[str, Path]):
    with open_context(browser, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"file://{files['gate']}")
        expect(page.get_by_label("Find")).to_be_hidden()
        assert page.locator("details.case").count() == 60
        page.locator("details.case summary").first.click()
        expect(page.locator("details.case ins").first).to_be_visible()


def test_odd_texts_do_nothing(browser: Browser, tmp_path: Path):
    with open_context(browser) as context:
        watched = Watched(context, "file://")
        for name, text in HOSTILE.items():
            file = tmp_path / f"{name}.html"
            write_report(hostile(text), file)
            page = watched.open(str(file))
            assert page.locator("details.case").count() == 8
            assert page.locator("main img, main b, main iframe, main script").count() == 0
            assert page.evaluate("document.scripts.length") == 1
            page.get_by_label("Find").fill("x")
        watched.check()


def test_the_policy_would_stop_it_all_the_same(browser: Browser, files: dict[str, Path]):
    with open_context(browser) as context:
        watched = Watched(context, "file://")
        page = watched.open(str(files["gate"]))
        page.evaluate(
            """() => {
              const put = (html) => document.body.insertAdjacentHTML("beforeend", html);
              put('<img src="https://evil.example/x.png" onerror="window.pwned=1">');
              put('<p style="color: red" onclick="window.pwned=2" id="bad">x</p>');
              const script = document.createElement("script");
              script.textContent = "window.pwned = 3";
              document.body.append(script);
            }"""
        )
        page.locator("#bad").click()
        assert page.evaluate("window.pwned") is None
        refused = [problem for problem in watched.problems if "policy" in problem]
        assert len(refused) >= 4, watched.problems


def test_it_prints(browser: Browser, files: dict[str, Path], tmp_path: Path):
    with open_context(browser) as context:
        page = context.new_page()
        page.goto(f"file://{files['gate']}")
        page.emulate_media(media="print")
        expect(page.get_by_label("Find")).to_be_hidden()
        made = page.pdf(path=tmp_path / "report.pdf", print_background=True)
        assert made.startswith(b"%PDF")


def test_as_many_cases_as_a_file_shows_open_in_a_moment(browser: Browser, tmp_path: Path):
    file = tmp_path / "large.html"
    write_report(gate(count=4_000, cases=make_cases(4_000)), file)
    with open_context(browser) as context:
        watched = Watched(context, "file://")
        began_s = time.monotonic()
        page = watched.open(str(file))
        expect(page.get_by_role("status")).to_have_text("3000 of 3000 cases here")
        page.get_by_label("Find").fill("norway")
        expect(page.get_by_role("status")).not_to_have_text("3000 of 3000 cases here")
        took_s = time.monotonic() - began_s
        assert "1,000 more cases are left off" in page.inner_text("main")
        assert took_s < 20, "a second on a quiet machine"
        watched.check()


def test_the_console_has_the_same(browser: Browser, kept: Gateway):
    """With the keyboard from the menu to the words of a case, with scripts and without."""
    for scripts in (True, False):
        with open_context(browser, java_script_enabled=scripts) as context:
            page = context.new_page()
            page.goto(f"{origin(kept)}/console")
            page.get_by_role("link", name="Experiments", exact=True).focus()
            page.keyboard.press("Enter")
            page.locator(f'a[href$="{PAGE}/exp_fail"]').focus()
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", name="FAIL")).to_be_visible()
            page.get_by_label("What became of it").select_option("worse")
            page.get_by_role("button", name="Apply").click()
            case = page.locator("details.case").first
            case.locator("summary").focus()
            page.keyboard.press("Enter")
            expect(case.locator("del").first).to_be_visible()
