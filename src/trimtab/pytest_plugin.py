"""A suite as one test: the fixture `trimtab_eval` of pytest.

    def test_triage(trimtab_eval):
        trimtab_eval("support-triage")

The candidate is the prompt as its file is, the baseline what is released. The test fails where the
gate fails, with its report. Where the gate cannot tell, the test fails as well and says so, unless
the suite's policy is `warn`: then it passes with a warning.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from trimtab.evals.result import Result

__all__ = ["EvalGate", "trimtab_eval"]

_COLUMNS = 100


class EvalGate:
    """Runs gates of the project in a folder.

    Args:
        folder: with `trimtab.toml`, or below it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(
        self,
        suite: str,
        *,
        candidate: str = "draft",
        model: str = "",
        overrides: Mapping[str, Any] | None = None,
        baseline: str = "",
        budget_usd: float | None = None,
    ) -> "Result":
        """Gate a suite, write its evidence, and fail the test unless it passes.

        Answers that are there are not asked again. Not from inside a running event loop.

        Args:
            suite: a folder below `evals`.
            candidate: the version that is tried.
            model: alias, route or pin; "" for the prompt's own.
            overrides: of the configuration, as `{"temperature": 0.7}`.
            baseline: the version that it is compared with; "" for what is released, "none" for the
                floors of the suite.
            budget_usd: that may be spent; None for no limit.
        """
        __tracebackhide__ = True
        from trimtab.cli.eval.gate import gate_order
        from trimtab.cli.eval.opened import open_suite
        from trimtab.cli.eval.session import conduct
        from trimtab.evals.evidence import write_evidence
        from trimtab.evals.setups import Wish

        opened = open_suite(self._folder, suite)
        order = gate_order(
            opened,
            Wish("", candidate, model, dict(overrides or {})),
            baseline=baseline,
            budget_usd=budget_usd,
        )
        result = conduct(opened, order, quiet=True)
        write_evidence(opened.suite.folder, result)
        outcome = _outcome(result, warns=opened.suite.gate.inconclusive == "warn")
        if outcome == "fail":
            pytest.fail(_told(result), pytrace=False)
        if outcome == "warn":
            warnings.warn(pytest.PytestWarning(_told(result)), stacklevel=2)
        return result


@pytest.fixture
def trimtab_eval(request: pytest.FixtureRequest) -> EvalGate:
    """Gates suites of the project that pytest was started in: `trimtab_eval("support-triage")`."""
    return EvalGate(request.config.rootpath)


def _outcome(result: "Result", *, warns: bool) -> Literal["pass", "fail", "warn"]:
    if result.verdict == "pass":
        return "pass"
    return "warn" if warns and result.verdict == "inconclusive" else "fail"


def _told(result: "Result") -> str:
    """The report, as at the terminal."""
    from io import StringIO

    from rich.console import Console

    from trimtab.evals.reports.terminal import TerminalReport

    text = StringIO()
    Console(file=text, width=_COLUMNS, highlight=False).print(TerminalReport(result))
    return text.getvalue()
