"""What a right file becomes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.projects import KINDS, MINIMAL, load
from trimtab.config import alerts, money, schema
from trimtab.config.environment import data_folder, environment
from trimtab.config.load import load_project
from trimtab.config.price import DatedPrice, InputTier, Price
from trimtab.config.schema import Cache, Hedge, Policy, Rung, Timeouts
from trimtab.config.secret import Secret
from trimtab.config.template import GITIGNORE, render_starter
from trimtab.errors import UnknownModel
from trimtab.types.refs import ModelRef

DOCS = Path(__file__).parents[2] / "docs" / "config.md"

FULL = """\
[providers.mine]
kind = "openai"
base_url = "http://localhost:1/v1"
api_key_env = "MINE"
ca_file = "ca.pem"
[models.fast]
ref = "mine:a:b"
max_output_tokens = 7
[routes.default]
timeouts = {connect_s = 1, total_s = 100}
[routes.support]
model = "fast"
timeouts.ttft_s = 8.5
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ca.pem").touch()
    return tmp_path


def test_route_is_resolved_completely(folder: Path) -> None:
    target = load(folder, FULL).resolve("support")
    assert target.route == "support"
    assert target.rungs == (
        Rung(alias="fast", ref=ModelRef("mine", "a:b"), max_output_tokens=7, context_tokens=None),
    )
    assert target.policy == Policy()
    assert target.timeouts == Timeouts(connect_s=1.0, ttft_s=8.5, idle_s=30.0, total_s=100.0)
    limits = [getattr(target.timeouts, name) for name in Timeouts.__struct_fields__]
    assert all(type(limit) is float for limit in limits)


LADDER = """\
[providers.a]
kind = "openai"
[providers.b]
kind = "openai"
[models.fast]
ref = "a:m"
also = ["b:m"]
[models.small]
ref = "b:s"
continues = true
context_tokens = 1000
[routes.default]
fallback = ["small"]
retries = 1
hedge = {after_s = 2}
[routes.plain]
model = "fast"
fallback = []
[routes.support]
model = "fast"
retries = 0
cache = {ttl_s = 60}
"""


def test_a_ladder_is_the_model_at_its_providers_and_then_the_fallbacks(tmp_path: Path) -> None:
    target = load(tmp_path, LADDER).resolve("support")
    assert [str(rung.ref) for rung in target.rungs] == ["a:m", "b:m", "b:s"]
    assert target.equals == 2
    assert (target.rungs[2].continues, target.rungs[2].context_tokens) == (True, 1000)
    assert target.policy == Policy(retries=0, hedge=Hedge(after_s=2.0), cache=Cache(ttl_s=60.0))


def test_a_route_may_have_no_fallback_where_the_default_has_one(tmp_path: Path) -> None:
    assert len(load(tmp_path, LADDER).resolve("plain").rungs) == 2


def test_a_model_is_not_its_own_fallback(tmp_path: Path) -> None:
    assert len(load(tmp_path, LADDER).resolve("small").rungs) == 1


def test_alias_takes_the_default_route(folder: Path) -> None:
    target = load(folder, FULL).resolve("fast")
    assert (target.route, target.rungs[0].alias) == ("default", "fast")
    assert target.timeouts == Timeouts(connect_s=1.0, total_s=100.0)


def test_a_model_may_be_called_default(tmp_path: Path) -> None:
    text = MINIMAL.replace("models.fast", "models.default") + "[routes.default]\n"
    assert load(tmp_path, text).resolve("default").rungs[0].alias == "default"


def test_default_is_not_a_name_of_its_own(folder: Path) -> None:
    with pytest.raises(UnknownModel):
        load(folder, FULL).resolve("default")


def test_unknown_model_tells_near_names_and_where_to_declare(folder: Path) -> None:
    with pytest.raises(UnknownModel) as caught:
        load(folder, FULL).resolve("fats")
    assert "Did you mean fast?" in str(caught.value)
    assert '[models."fats"]' in str(caught.value)
    assert caught.value.param == "model"


def test_unknown_model_does_not_echo_a_long_name(folder: Path) -> None:
    with pytest.raises(UnknownModel) as caught:
        load(folder, FULL).resolve("x" * 1_000_000)
    assert len(str(caught.value)) < 500


def test_provider_is_resolved(folder: Path) -> None:
    provider = load(folder, FULL, MINE="sk-1").providers["mine"]
    assert (provider.name, provider.kind) == ("mine", "openai")
    assert provider.ca_file == folder / "ca.pem"
    assert provider.key == Secret("sk-1")
    assert not provider.lacks_key


def test_missing_variable_is_a_warning(folder: Path) -> None:
    project = load(folder, FULL, MINE=" ")
    (warning,) = project.warnings
    assert warning.place == f"{folder}/trimtab.toml:4 (providers.mine.api_key_env)"
    assert "MINE is not set" in warning.problem
    assert project.providers["mine"].lacks_key


def test_a_provider_without_a_key_is_fine(tmp_path: Path) -> None:
    project = load(tmp_path, "[providers.local]\nthreads = 2\n")
    assert project.warnings == ()
    assert not project.providers["local"].lacks_key
    assert project.providers["local"].kind == "local"


def test_key_is_never_shown(folder: Path) -> None:
    project = load(folder, FULL, MINE="sk-visible")
    key = project.providers["mine"].key
    assert key is not None
    assert key.reveal() == "sk-visible"
    for shown in (str(key), f"{key}", repr(project), str(project)):
        assert "sk-visible" not in shown
    with pytest.raises(TypeError):
        msgspec.json.encode(key)


def test_secrets_compare_by_value() -> None:
    assert {Secret("a"), Secret("a")} == {Secret("a")}
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


def test_folder_and_file_load_the_same(folder: Path) -> None:
    project = load(folder, FULL)
    assert load_project(folder, {}, kinds=KINDS) == project
    assert project.folder == folder
    assert data_folder(project) == folder / ".trimtab"


def test_digest_is_of_the_content(folder: Path) -> None:
    first = load(folder, FULL).digest
    assert load(folder, FULL).digest == first
    assert load(folder, FULL + "\n").digest != first


def test_windows_line_ends(tmp_path: Path) -> None:
    (tmp_path / "trimtab.toml").write_bytes(MINIMAL.replace("\n", "\r\n").encode())
    project = load_project(tmp_path, {}, kinds=KINDS)
    assert ":2 " in project.warnings[0].place


def test_project_is_immutable(folder: Path) -> None:
    project: Any = load(folder, FULL)
    with pytest.raises(AttributeError):
        project.digest = ""


def test_environment_is_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_TEST", "1")
    assert environment()["TRIMTAB_TEST"] == "1"


@pytest.mark.parametrize("name", ["shop", "", "two\nlines"])
def test_starter_loads_with_only_a_warning(tmp_path: Path, name: str) -> None:
    (tmp_path / "trimtab.toml").write_text(render_starter(name), encoding="utf-8")
    project = load_project(tmp_path, {})  # with the kinds that are installed
    assert "OPENAI_API_KEY" in project.warnings[0].problem
    assert set(project.targets) == {"fast", "mini", "smart", "support"}
    assert ".trimtab/" in GITIGNORE


def test_example_of_the_docs_loads(tmp_path: Path) -> None:
    example = DOCS.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    assert set(load(tmp_path, example).targets) == {"fast", "tuned", "tiny", "support"}


def test_example_of_the_page_on_money_loads(tmp_path: Path) -> None:
    page = DOCS.with_name("money.md").read_text(encoding="utf-8")
    project = load(tmp_path, page.split("```toml\n")[1].split("```")[0])
    assert project.budgets["users"].limit_nanousd("free-1", "free") == 100_000_000
    assert project.budgets["users"].limit_nanousd("load-test", "") == 50_000_000_000
    assert project.limits["keys"].concurrent == 50


TABLES = {
    "server": schema.Server,
    "recording": schema.Recording,
    "prompts": schema.Prompts,
    "retries": schema.Retries,
    "breakers": schema.Breakers,
    "cache": schema.ResponseCache,
    "spend": money.Spend,
    "classes.NAME": money.UserClass,
    "budgets.NAME": money.Budget,
    "limits.NAME": money.Limit,
    "alerts": alerts.AlertsTable,
    "alerts.webhooks.NAME": alerts.WebhookTable,
    "outliers": money.Outliers,
    "providers.NAME": schema.ProviderTable,
    "models.ALIAS": schema.Model,
    "models.ALIAS.price": Price,
    "models.ALIAS.price.tiers": InputTier,
    "models.ALIAS.prices": DatedPrice,
    "routes.NAME": schema.Route,
    "routes.NAME.timeouts": schema.TimeoutsTable,
    "routes.NAME.hedge": schema.Hedge,
    "routes.NAME.cache": schema.Cache,
}


_PRICE = Price.__struct_fields__


@pytest.mark.parametrize("heading", TABLES)
def test_every_key_has_a_row_in_the_docs(heading: str) -> None:
    sections = DOCS.read_text(encoding="utf-8").split("\n#")
    (section,) = [part for part in sections if part.splitlines()[0].strip("# ") == heading]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| `")]
    table = TABLES[heading]
    inherited = () if table is Price or not hasattr(table, "input_usd_per_mtok") else _PRICE
    assert rows == [f"`{field}`" for field in table.__struct_fields__ if field not in inherited]


def test_every_table_has_a_heading() -> None:
    names = {heading.split(".")[0] for heading in TABLES}
    assert names == set(schema.ProjectTable.__struct_fields__)


def test_import_is_light() -> None:
    code = "import sys, trimtab.config.load; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ["genai_prices", "pydantic", "asyncio", "httpx", "starlette"]
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"
