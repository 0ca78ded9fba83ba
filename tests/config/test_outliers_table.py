"""`[outliers]` in the file."""

from decimal import Decimal
from pathlib import Path

import pytest

from config.projects import MINIMAL, load
from trimtab.config.money import Outliers
from trimtab.errors import ConfigError


def test_all_of_it(tmp_path: Path) -> None:
    text = (
        MINIMAL
        + '[outliers]\nactions = ["throttle", "downgrade"]\nper = ["user"]\nwindow_h = 6\n'
        + "least_usd = 0.25\nrequests_per_minute = 3\nevery_s = 60\n"
    )
    found = load(tmp_path, text).outliers
    assert found == Outliers(
        actions=("throttle", "downgrade"),
        per=("user",),
        window_h=6,
        least_usd=Decimal("0.25"),
        requests_per_minute=3,
        every_s=60,
    )
    assert found.least_nanousd == 250_000_000


def test_by_default_people_are_told(tmp_path: Path) -> None:
    assert load(tmp_path, MINIMAL).outliers == Outliers()
    assert Outliers().actions == ("alert",)
    assert Outliers().least_nanousd == 1_000_000_000


@pytest.mark.parametrize(
    "line", ['actions = ["block"]', "window_h = 0", "least_usd = -1", "every_s = 5"]
)
def test_wrong_values_are_told(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match=rf"outliers\.{line.split(maxsplit=1)[0]}"):
        load(tmp_path, f"{MINIMAL}[outliers]\n{line}\n")
