"""What stands above and beside the figures: the verdict, what was tried, what it took. Pure."""

from typing import Any, Final

import msgspec

from trimtab.evals.result import Result
from trimtab.looks.words import count, duration, one_line, percent, several, usd, utc_time
from trimtab.types.experiments import Setup

__all__ = ["VERDICT_WORDS", "Fact", "facts_of", "setup_words", "title_of", "verdict_sentence"]

VERDICT_WORDS: Final = {
    "pass": "PASS",
    "fail": "FAIL",
    "inconclusive": "INCONCLUSIVE",
    "": "MEASURED",
}

_MOST_CHANGES: Final = 80  # characters of overrides in a name; facts have all of them

_SENTENCES: Final = {
    "pass": "The candidate is not worse than the margins of the suite allow.",
    "fail": "The candidate is worse.",
    "inconclusive": "The numbers cannot tell.",
    "": "Figures of one setup; nothing was compared, so nothing passed or failed.",
}
_FIRST: Final = {
    "pass": "The candidate reaches the floors of the suite.",
    "fail": "The candidate stays below a floor of the suite.",
    "inconclusive": "The numbers cannot tell whether it reaches the floors of the suite.",
}
_SAME: Final = "A and A: both setups are the same, so whatever is told apart is noise."


class Fact(msgspec.Struct, frozen=True):
    """A figure with its name, and what belongs to it in small print."""

    name: str
    text: str
    small: str = ""


def verdict_sentence(result: Result) -> str:
    """What the verdict means."""
    if result.experiment.kind == "aa":
        return _SAME
    is_first = result.experiment.baseline is None and result.verdict
    return _FIRST[result.verdict] if is_first else _SENTENCES[result.verdict]


def title_of(result: Result) -> str:
    """Which suite, and what was tried against what."""
    experiment = result.experiment
    tried = setup_words(experiment.candidate, experiment.baseline)
    if experiment.baseline is not None:
        tried = f"{tried} against {setup_words(experiment.baseline, experiment.candidate)}"
    return one_line(f"{experiment.suite}: {tried}")


def setup_words(setup: Setup, other: Setup | None = None) -> str:
    """The short name of a setup; with what it is told by from another one of the same label."""
    name = setup.label or setup.prompt_hash[:8] or setup.model
    if other is None or name != (other.label or other.prompt_hash[:8] or other.model):
        return one_line(name)
    if setup.model != other.model:
        return one_line(f"{name} at {setup.model}")
    if not setup.overrides:
        return one_line(name)
    changes = _json(setup.overrides)
    is_long = len(changes) > _MOST_CHANGES
    short = f"{changes[:_MOST_CHANGES]}\N{HORIZONTAL ELLIPSIS}" if is_long else changes
    return one_line(f"{name} with {short}")


def facts_of(result: Result) -> list[Fact]:
    """What was tried, and what it took."""
    experiment = result.experiment
    facts = [
        Fact(
            "Suite",
            one_line(experiment.suite),
            f"{several(result.cases_total, 'case')}, "
            f"{several(experiment.repeats, 'repeat')}; {one_line(experiment.suite_hash[:12])}",
        ),
        _setup("Candidate", experiment.candidate),
    ]
    if experiment.baseline is not None:
        facts.append(_setup("Baseline", experiment.baseline))
    return [*facts, *_costs(result)]


def _costs(result: Result) -> list[Fact]:
    answered = [f"{several(result.failed, 'error')}" if result.failed else "no errors"]
    if result.reused:
        answered.append(f"{count(result.reused)} of earlier experiments")
    spent = "of it judges " + usd(result.judge_nanousd) if result.judge_nanousd else "no judges"
    began = f"began {utc_time(result.experiment.started_ns)} UTC"
    facts = [
        Fact("Answers", f"{count(result.answered)} of {count(result.planned)}", _joined(answered)),
        Fact("Spent", usd(result.spent_nanousd), spent),
        Fact("Took", duration(result.took_s), began),
    ]
    if experiment_compares(result):
        share = percent(result.dropped_share)
        facts.insert(1, Fact("Not in both", share, "of the planned rows; they count for neither"))
    return facts


def experiment_compares(result: Result) -> bool:
    """Two setups were tried."""
    return result.experiment.baseline is not None


def _setup(name: str, setup: Setup) -> Fact:
    parts = [setup.prompt, setup.prompt_hash[:12], setup.model]
    if setup.overrides:
        parts.append(f"with {_json(setup.overrides)}")
    return Fact(name, setup_words(setup), one_line(_joined(parts)))


def _joined(parts: list[str]) -> str:
    return ", ".join(part for part in parts if part)


def _json(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()
