"""Experiments as commands leave them: a list of all kinds, and texts that are only text."""

from collections.abc import Mapping
from typing import Any

import msgspec

from evals.reports.results import START_NS, experiment, first_release, gate, hostile, run_of_one
from harness import Gateway
from trimtab.archive import open_experiments
from trimtab.evals.result import Result
from trimtab.store.protocol import Experiments
from trimtab.types.experiments import Experiment

ODD = "exp_odd"
MARKUP = '<b onclick="window.pwned=1">because</b> \u202eesrever {{ 7 * 7 }} @ada | `x`'
_HOUR_NS = 3_600 * 1_000_000_000


def lay_out(gateway: Gateway) -> Mapping[str, Result]:
    """Keep one experiment of each kind; their results by id."""
    results = {
        "exp_gate": gate(),
        "exp_fail": gate("fail", count=120, drop=0.2),
        "exp_pass": gate("pass", drop=0.0),
        "exp_first": first_release(),
        "exp_run": run_of_one(),
        ODD: hostile(MARKUP),
    }
    store = open_experiments(gateway.folder / "trimtab.toml")
    for number, (name, result) in enumerate(results.items()):
        keep(store, result, id=name, started_ns=START_NS - number * _HOUR_NS)
    store.keep_experiment(
        experiment("", id="exp_open", kind="gate", ended_ns=0, started_ns=START_NS + _HOUR_NS)
    )
    store.keep_experiment(
        experiment(
            "pass",
            id="exp_old",
            summary=b'{"of": "another version"}',
            started_ns=START_NS - 900 * _HOUR_NS,
        )
    )
    return results


def keep(store: Experiments, result: Result, **changes: Any) -> Experiment:
    """Keep an experiment with its result."""
    named = msgspec.structs.replace(result.experiment, **changes)
    body = msgspec.json.encode(msgspec.structs.replace(result, experiment=named))
    kept = msgspec.structs.replace(named, summary=body)
    store.keep_experiment(kept)
    return kept
