"""feedback.toml: the metrics, and findings with file, line and remedy."""

from pathlib import Path

import pytest

from config.projects import MINIMAL, load
from trimtab.config.feedback import Metric, Tokens
from trimtab.errors import ConfigError

GOOD = """\
[metrics.stars]
type = "number"
low = 0.5
high = 5
[metrics.complained]
type = "boolean"
direction = "down"
level = "inference"
[tokens]
days = 14
"""


def test_thumbs_are_there_without_a_file(tmp_path: Path) -> None:
    rules = load(tmp_path, MINIMAL, OPENAI_API_KEY="sk").feedback
    assert rules.metrics == {"thumbs": Metric()}
    assert rules.tokens is None


def test_what_is_declared_stands_beside_them(tmp_path: Path) -> None:
    before = load(tmp_path, MINIMAL, OPENAI_API_KEY="sk")
    (tmp_path / "feedback.toml").write_text(GOOD)
    project = load(tmp_path, MINIMAL, OPENAI_API_KEY="sk")
    assert project.feedback.metrics == {
        "thumbs": Metric(),
        "stars": Metric(type="number", low=0.5, high=5.0),
        "complained": Metric(direction="down"),
    }
    assert project.feedback.tokens == Tokens(days=14)
    assert project.digest != before.digest


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('[metrics.a]\ntype = "text"', 2, 'Give "boolean" or "number"'),
        ('[metrics.a]\ntype = "number"\nlow = 1', 1, "needs both low and high"),
        ('[metrics.a]\ntype = "number"\nlow = 5\nhigh = 1', 3, "not below high 1"),
        ("[metrics.a]\nhigh = 1", 2, "a boolean has no high"),
        ('[metrics.a]\nlevel = "session"', 2, 'Give "inference"'),
        ('[metrics.a]\ndirection = "left"', 2, 'Give "down" or "up"'),
        ("\n[metrics.Bad-Name]", 2, "no name of a metric"),
        ("[metrics.a]\ntipe = 1", 2, "Did you mean type?"),
        ("[tokens]\ndays = 91", 2, "from 1 to 90"),
        ("metrics = 3", 1, "expected tables"),
        ("[metrics", 1, "not TOML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    (tmp_path / "feedback.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, MINIMAL, OPENAI_API_KEY="sk")
    [finding] = caught.value.findings
    assert finding.place.startswith(f"{tmp_path / 'feedback.toml'}:{line}")
    assert says in str(finding)


def test_findings_of_both_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "feedback.toml").write_text("[metrics.a]\nhigh = 1")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, MINIMAL + "[serve]\n", OPENAI_API_KEY="sk")
    assert len(caught.value.findings) == 2
