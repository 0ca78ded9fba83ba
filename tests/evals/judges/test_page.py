"""What docs/judges.md says is so."""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from evals.judges.labels import JUDGE, calibration_of
from evals.judges.simulated import JUDGES, LABELS, share_eligible, table_row
from trimtab.evals.evaluators import preference, rubric
from trimtab.evals.judges.eligible import DEFAULT_POLICY, check_judge

PAGE = (Path(__file__).parents[3] / "docs" / "judges.md").read_text(encoding="utf-8")


def test_the_evaluators_of_the_page_can_be_built():
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    kinds = {"rubric": rubric.EVALUATOR, "preference": preference.EVALUATOR}
    for table in tomllib.loads(block)["evaluators"]:
        options = {name: value for name, value in table.items() if name not in {"use", "name"}}
        assert kinds[table["use"]].build(options, Path())


def test_every_option_has_its_row_and_its_default():
    rows = dict(re.findall(r"^\| `(\w+)` \| .* \|([^|]*)\|$", PAGE, re.MULTILINE))
    fields = {field.name: field for field in msgspec.structs.fields(rubric.Options)}
    assert set(rows) == set(fields)
    assert {field.name for field in msgspec.structs.fields(preference.Options)} < set(rows)
    for name, shown in rows.items():
        default = fields[name].default
        said = (
            f'`"{default}"`'
            if isinstance(default, str) and default
            else f"{default:g}"
            if isinstance(default, float | int)
            else ""
        )
        assert shown.strip() == said, name


def test_what_gates_is_what_the_policy_says():
    assert f"it has {DEFAULT_POLICY.least_labels} labels or more" in PAGE
    assert f"kappa's interval is {DEFAULT_POLICY.least_kappa} or more" in PAGE
    assert f"at most {DEFAULT_POLICY.most_unseen:.0%} of the rows".replace("%", " %") in PAGE


def test_the_sentences_are_those_that_it_says():
    good = [(1.0, 1.0)] * 48 + [(0.0, 0.0)] * 46 + [(1.0, 0.0)] * 3 + [(0.0, 1.0)] * 3
    nearly = [(1.0, 1.0)] * 34 + [(0.0, 0.0)] * 34 + [(1.0, 0.0)] * 6 + [(0.0, 1.0)] * 6
    said = [
        check_judge(None, JUDGE.hash, []).why,
        check_judge(calibration_of(good[::4]), JUDGE.hash, []).why,
        check_judge(calibration_of(nearly), JUDGE.hash, []).why,
        check_judge(calibration_of(good), JUDGE.hash, []).why,
    ]
    assert "\n".join(said) in PAGE


def shown_shares() -> list[list[float]]:
    lines = re.findall(r"^\| \d+% / \d+% \| [\d.]+ \| (.*) \|$", PAGE, re.MULTILINE)
    return [[float(cell) for cell in line.split(" | ")] for line in lines]


def test_the_table_of_labels_is_about_what_a_simulation_finds():
    assert len(shown_shares()) == len(JUDGES)
    for judge, shown in zip(JUDGES, shown_shares(), strict=True):
        assert table_row(judge, shown) in PAGE
        for labels, share in zip(LABELS, shown, strict=True):
            assert share_eligible(judge, labels, 120) == pytest.approx(share, abs=0.13)


@pytest.mark.soak
def test_the_table_of_labels_is_what_a_simulation_finds():
    for judge in JUDGES:
        assert table_row(judge, [share_eligible(judge, labels, 1_000) for labels in LABELS]) in PAGE
