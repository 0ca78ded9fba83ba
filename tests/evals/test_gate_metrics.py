"""Metrics of `[gate]` against those that evaluators measure once their options are known."""

from pathlib import Path

import pytest

from datasets.suites import line, write
from trimtab.datasets.load import load_suite
from trimtab.errors import ConfigError
from trimtab.evals.registry import load_evaluators

OWN = "def polite(sample):\n    return 1.0\n"
TOML = """\
[[evaluators]]
use = "python_function"
function = "polite"

[[evaluators]]
use = "length"
metric = "size"
max_words = 80

[gate]
primary = ["{name}"]

[gate.margins]
{name} = {margin}
"""


def load(project: Path, name: str, margin: float) -> list[str]:
    folder = write(project, TOML.format(name=name, margin=margin), [line()])
    (folder / "evaluators.py").write_text(OWN)
    evaluators = load_evaluators(load_suite(project, "s"), schema_declared=False)
    return [one.metric for one in evaluators.evaluators if not one.automatic]


def test_a_metric_that_options_decide_is_known(tmp_path: Path) -> None:
    assert load(tmp_path, "polite", 0.1) == ["polite", "size"]
    assert load(tmp_path, "size", 0.1) == ["polite", "size"]


@pytest.mark.parametrize(
    ("name", "margin", "told"),
    [
        ("politte", 0.1, ["no evaluator measures 'politte'. Did you mean polite?"] * 2),
        ("polite", 1.1, ["1.1 is no share. Give a share between 0 and 1"]),
    ],
)
def test_a_metric_that_nothing_measures_is_told(
    tmp_path: Path, name: str, margin: float, told: list[str]
) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, name, margin)
    found = raised.value.findings
    assert len(found) == len(told)
    for finding, words in zip(found, told, strict=True):
        assert finding.place.startswith("evals/s/suite.toml:1")
        assert words in str(finding)
