"""plan.toml: estimates are added and never overwritten, and findings name line and remedy."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from config.projects import MINIMAL, load
from trimtab.config.plan import (
    EVERYONE,
    NO_CLASS,
    Estimate,
    PlanPrice,
    add_estimate,
    load_plan,
)
from trimtab.config.schema import Project
from trimtab.errors import ConfigError, Finding, UsageError

CLASSES = MINIMAL + '[classes."pro.eu"]\nusers = ["pro-*"]\n'
MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
ESTIMATE = Estimate(
    users=1_000,
    requests_per_user_per_day=7.5,
    turns_per_session=3.0,
    input_tokens=900.0,
    output_tokens=0.0,
    cached_share=0.25,
    model="fast",
    price=PlanPrice(
        input_usd_per_mtok=Decimal("0.4"),
        cache_read_usd_per_mtok=Decimal("0.1"),
        cache_write_usd_per_mtok=Decimal("0.4"),
        output_usd_per_mtok=Decimal("0.0000000001"),
        version="genai-prices/1",
    ),
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return load(tmp_path, CLASSES, OPENAI_API_KEY="sk")


def findings(project: Project, text: str) -> list[Finding]:
    (project.folder / "plan.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_plan(project)
    return caught.value.findings


def test_there_need_not_be_a_plan(project: Project) -> None:
    plan = load_plan(project)
    assert plan.estimates == {}
    assert plan.on(MAY) is None


def test_what_is_written_is_read_again(project: Project) -> None:
    simple = Estimate(users=5, requests_per_user_per_day=1, input_tokens=1, output_tokens=1,
                      model="fast", users_growth=-0.5)  # fmt: skip
    add_estimate(project, JUNE, "pro.eu", estimate=ESTIMATE)
    add_estimate(project, JUNE, NO_CLASS, estimate=simple)
    add_estimate(project, MAY, EVERYONE, estimate=ESTIMATE)
    plan = load_plan(project)
    assert list(plan.estimates) == [MAY, JUNE]
    assert plan.estimates[MAY] == {EVERYONE: ESTIMATE}
    assert plan.estimates[JUNE] == {"pro.eu": ESTIMATE, "": simple}
    assert plan.on(date(2026, 4, 30)) is None
    assert plan.on(date(2026, 5, 31)) == (MAY, plan.estimates[MAY])
    assert plan.on(date(2027, 1, 1)) == (JUNE, plan.estimates[JUNE])


def test_what_is_there_stays_to_the_letter(project: Project) -> None:
    add_estimate(project, MAY, EVERYONE, estimate=ESTIMATE)
    file = project.folder / "plan.toml"
    before = "# a remark of ours\n" + file.read_text(encoding="utf-8")
    file.write_text(before, encoding="utf-8")
    with pytest.raises(UsageError, match=r"everyone from 2026-05-01.*--from"):
        add_estimate(project, MAY, EVERYONE, estimate=ESTIMATE)
    assert file.read_text(encoding="utf-8") == before
    add_estimate(project, JUNE, EVERYONE, estimate=ESTIMATE)
    assert file.read_text(encoding="utf-8").startswith(before)


def test_an_estimate_that_would_be_wrong_is_not_written(project: Project) -> None:
    add_estimate(project, MAY, EVERYONE, estimate=ESTIMATE)
    before = (project.folder / "plan.toml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="stands beside some for single classes"):
        add_estimate(project, MAY, NO_CLASS, estimate=ESTIMATE)
    with pytest.raises(ConfigError, match="no class 'gold'"):
        add_estimate(project, JUNE, "gold", estimate=ESTIMATE)
    assert (project.folder / "plan.toml").read_text(encoding="utf-8") == before
    assert [path.name for path in project.folder.iterdir() if "new" in path.name] == []


def test_users_grow_by_a_share_of_the_first() -> None:
    growing = Estimate(users=100, users_growth=0.1, requests_per_user_per_day=1, input_tokens=1,
                       output_tokens=1, model="fast")  # fmt: skip
    assert [growing.users_on(day) for day in (0, 15, 30, 60)] == [100, 105, 110, 120]
    shrinking = Estimate(users=100, users_growth=-1, requests_per_user_per_day=1, input_tokens=1,
                         output_tokens=1, model="fast")  # fmt: skip
    assert [shrinking.users_on(day) for day in (0, 10, 45)] == [100, Fraction(200, 3), 0]


def test_findings_name_line_and_remedy(project: Project) -> None:
    text = """\
[plan.2026-05-01.everyone]
users = 0
requests_per_user_per_day = 1
input_tokens = 1
output_token = 1
model = "fast"
"""
    places = [(found.place.rpartition("/")[2], found.remedy) for found in findings(project, text)]
    assert places == [
        (
            "plan.toml:1 (plan.2026-05-01.everyone.output_tokens)",
            "Add output_tokens to [plan.2026-05-01.everyone]",
        ),
        (
            "plan.toml:2 (plan.2026-05-01.everyone.users)",
            "Give a whole number from 1 to 10000000000",
        ),
        ("plan.toml:5 (plan.2026-05-01.everyone.output_token)", "Did you mean output_tokens?"),
    ]


def test_what_does_not_fit_the_project_is_a_finding(project: Project) -> None:
    one = "users=1\nrequests_per_user_per_day=1\ninput_tokens=1\noutput_tokens=1\n"
    text = f'[plan.may.everyone]\n{one}model="fast"\n[plan.2026-05-01.gold]\n{one}model="slow"\n'
    assert [(found.problem, found.remedy) for found in findings(project, text)] == [
        ("may is no day", "Write it as in [plan.2026-10-01.everyone]"),
        ("the project has no class 'gold'", "Use one of everyone, others, pro.eu"),
        ("the project has no model or route 'slow'", "Declared are: fast"),
    ]


def test_a_file_that_is_no_toml_is_a_finding(project: Project) -> None:
    [found] = findings(project, "[plan\n")
    assert "not TOML" in found.problem


def test_a_class_with_the_name_of_a_word_of_the_plan(tmp_path: Path) -> None:
    project = load(tmp_path, MINIMAL + '[classes.others]\nusers = ["x-*"]\n')
    one = "users=1\nrequests_per_user_per_day=1\ninput_tokens=1\noutput_tokens=1\n"
    [found] = findings(project, f'[plan.2026-05-01.others]\n{one}model="fast"\n')
    assert found.remedy == "Give the class others another name"
