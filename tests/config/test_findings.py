"""Every way a project file can be wrong, with the line that is named."""

from pathlib import Path

import pytest

from config.projects import KINDS, MINIMAL, findings
from trimtab.config.load import find_project_file, load_project
from trimtab.errors import ConfigError

PRICED = """\
[models.b]
ref = "openai:x"
[models.b.price]
output_usd_per_mtok = 1
"""
DATED = """\
[models.b]
ref = "openai:x"
[[models.b.prices]]
since = 2026-10-01
input_usd_per_mtok = 1
output_usd_per_mtok = 1
"""
BOTH_PRICES = """\
[models.b]
ref = "openai:x"
price_as = "openai:y"
price = {input_usd_per_mtok = 1, output_usd_per_mtok = 1}"""

# Each case adds to MINIMAL, whose last line is 5: (text, line, key, problem, remedy).
CASES = {
    "unknown key": (
        '[routes.a]\nmodel = "fast"\ntimeuts = {}',
        (8, "routes.a.timeuts", "unknown key timeuts", "Did you mean timeouts?"),
    ),
    "unknown key, nothing near": (
        "[recording]\nzzz = 1",
        (7, "recording.zzz", "unknown key zzz", "Valid here: bodies, retention_days"),
    ),
    "unknown table": ("[server_]", (6, "server_", "unknown key server_", "Did you mean server?")),
    "resolved fields are not keys": (
        '[providers.local]\nname = "x"',
        (7, "providers.local.name", "unknown key name", "Valid here"),
    ),
    "text for a number": (
        '[server]\n\nport = "80"',
        (8, "server.port", "'80' is not valid", "a whole number from 0 to 65535"),
    ),
    "bool for a number": ("[server]\nport = true", (7, "server.port", "True is", "a whole number")),
    "out of range": (
        "[server]\nport = 65536",
        (7, "server.port", "65536 is not valid", "0 to 65535"),
    ),
    "not a number": ("[server]\ndrain_s = nan", (7, "server.drain_s", "NaN", "from 0 up to 86400")),
    "infinite": ("[server]\ndrain_s = inf", (7, "server.drain_s", "Infinity", "up to 86400")),
    "not one of": (
        '[recording]\nbodies = "on"',
        (7, "recording.bodies", "'on' is not valid", 'Give "full" or "off"'),
    ),
    "zero seconds in an inline table": (
        "[routes.default]\ntimeouts = {connect_s = 1, ttft_s = 0}",
        (7, "routes.default.timeouts.ttft_s", "0 is not valid", "above 0"),
    ),
    "text for a switch": (
        '[routes.a]\nmodel = "fast"\nside_effects = "no"',
        (8, "routes.a.side_effects", "'no' is not valid", "Give true or false"),
    ),
    "text for a list": (
        '[routes.a]\nmodel = "fast"\nfallback = "fast"',
        (8, "routes.a.fallback", "'fast' is not valid", 'a list of names, as in ["first", "sec'),
    ),
    "fallback to nothing": (
        '[routes.a]\nmodel = "fast"\nfallback = ["fats"]',
        (8, "routes.a.fallback", "no model 'fats'", "Use fast"),
    ),
    "fallback to itself": (
        '[routes.a]\nmodel = "fast"\nfallback = ["fast"]',
        (8, "routes.a.fallback", "'fast' would be tried twice", "Remove one"),
    ),
    "the same model twice": (
        '[models.b]\nref = "openai:x"\nalso = ["openai:x"]',
        (8, "models.b.also", "'openai:x' is named twice", "Remove one"),
    ),
    "also at no provider": (
        '[models.b]\nref = "openai:x"\nalso = ["opanai:x"]',
        (8, "models.b.also", "no provider 'opanai'", "Declare [providers.opanai]"),
    ),
    "a cache without a time": (
        '[routes.a]\nmodel = "fast"\ncache = {stale_s = 1}',
        (8, "routes.a.cache.ttl_s", "ttl_s is missing", "Add ttl_s to [routes.a.cache]"),
    ),
    "one flight without a cache": (
        '[routes.a]\nmodel = "fast"\nsingle_flight = true',
        (8, "routes.a.single_flight", "needs a cache", "Add cache = {ttl_s = 60}"),
    ),
    "number for a path": (
        "[providers.local]\nweights = 3",
        (7, "providers.local.weights", "3 is not valid", "text in quotes"),
    ),
    "url without scheme": (
        '[providers.local]\nbase_url = "localhost"',
        (7, "providers.local.base_url", "'localhost' is not valid", "an http:// or https:// URL"),
    ),
    "key instead of its name": (
        '[providers.local]\napi_key_env = "sk-1"',
        (7, "providers.local.api_key_env", "is not valid", "name of an environment variable"),
    ),
    "value for a table": ("[models]\nb = 3", (7, "models.b", "expected a table", "[models.b]")),
    "value for tables": (
        "routes = 3\n",
        (1, "routes", "expected tables, found 3", "[routes.NAME]"),
    ),
    "value for a struct": ("server = 3\n", (1, "server", "expected a table, found 3", "[server]")),
    "missing key": ("[models.b]", (6, "models.b.ref", "ref is missing", "Add ref to [models.b]")),
    "bad name": (
        '[models."a b"]\nref = "openai:x"',
        (6, "models.a b", "cannot be a name", "letters"),
    ),
    "not a reference": (
        '[models.b]\nref = "openai"',
        (7, "models.b.ref", "'openai' is not a model reference", "provider:model"),
    ),
    "undeclared provider": (
        '[models.b]\nref = "opnai:x"',
        (7, "models.b.ref", "no provider 'opnai'", "or use openai"),
    ),
    "price_as is not a reference": (
        '[models.b]\nref = "openai:x"\nprice_as = "y"',
        (8, "models.b.price_as", "'y' is not a model reference", "provider:model"),
    ),
    "price and price_as": (
        BOTH_PRICES,
        (8, "models.b.price_as", "exclude each other", "Remove one"),
    ),
    "negative price": (
        f"{PRICED}input_usd_per_mtok = -0.1",
        (10, "models.b.price.input_usd_per_mtok", "-0.1 is out of range", "from 0 to 1000000"),
    ),
    "price with too many decimals": (
        f"{PRICED}input_usd_per_mtok = 1e-19",
        (10, "models.b.price.input_usd_per_mtok", "more than 18 decimals", "US dollars"),
    ),
    "no day": (
        DATED.replace("since = 2026-10-01\n", ""),
        (8, "models.b.prices.0.since", "since is missing", "Add since to [models.b.prices.0]"),
    ),
    "a day that is none": (
        DATED.replace("2026-10-01", '"soon"'),
        (9, "models.b.prices.0.since", "'soon' is not valid", "a date, as in 2026-10-01"),
    ),
    "a moment for a day": (
        DATED.replace("2026-10-01", "2026-10-01T05:00:00Z"),
        (9, "models.b.prices.0.since", "is not valid", "a date, as in 2026-10-01"),
    ),
    "the same price twice": (
        DATED + DATED.split("\n", 2)[2],
        (12, "models.b.prices.1", "written twice", "Remove one"),
    ),
    "prices and price": (
        DATED + "[models.b.price]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 1",
        (12, "models.b.price", "price and prices exclude each other", "Remove one"),
    ),
    "one table for a list": (
        DATED.replace("[[models.b.prices]]", "[models.b.prices]"),
        (8, "models.b.prices", "expected a list of tables", "Write each as [[models.b.prices]]"),
    ),
    "tiers that do not ascend": (
        DATED + "tiers = [\n  {above_input_tokens = 9},\n  {above_input_tokens = 9}]",
        (14, "models.b.prices.0.tiers.1.above_input_tokens", "do not ascend", "Sort them"),
    ),
    "a tier without a base": (
        DATED + "tiers = [{above_input_tokens = 9, reasoning_usd_per_mtok = 1}]",
        (
            12,
            "models.b.prices.0.tiers.0.reasoning_usd_per_mtok",
            "none below it",
            "Add reasoning_usd_per_mtok to [models.b.prices.0] too",
        ),
    ),
    "a tier that is no table": (
        DATED + "tiers = [7]",
        (12, "models.b.prices.0.tiers.0", "expected a table, found 7", "Write it as"),
    ),
    "a service tier in capitals": (
        DATED + "service_tiers = {Flex = 0.5}",
        (12, "models.b.prices.0.service_tiers.Flex", "never met", "Write flex"),
    ),
    "price as text": (
        f'{PRICED}input_usd_per_mtok = "1"',
        (10, "models.b.price.input_usd_per_mtok", "'1' is not a number", "US dollars"),
    ),
    "unknown kind": (
        '[providers.b]\nkind = "opnai"',
        (7, "providers.b.kind", "no provider kind 'opnai'", "Set kind to openai"),
    ),
    "unknown kind by name": (
        "[providers.zzz]",
        (6, "providers.zzz.kind", "no provider kind 'zzz'", "local or openai"),
    ),
    "key of another kind": (
        '[providers.b]\nkind = "openai"\nthreads = 1',
        (8, "providers.b.threads", 'only for providers of kind "local"', "Remove it"),
    ),
    "no such file": (
        '[providers.local]\nca_file = "gone.pem"',
        (7, "providers.local.ca_file", "no file at", "relative to the folder"),
    ),
    "route and model clash": (
        '[routes.fast]\nmodel = "fast"',
        (6, "routes.fast", "a model is called 'fast' too", "Rename one"),
    ),
    "route without model": ("[routes.a]", (6, "routes.a.model", "model is missing", "fast")),
    "route of an unknown model": (
        '[routes.a]\nmodel = "fsat"',
        (7, "routes.a.model", "no model 'fsat'", "Set it to fast"),
    ),
    "default route with a model": (
        '[routes.default]\nmodel = "fast"',
        (7, "routes.default.model", "takes no model", "Remove it"),
    ),
}


@pytest.mark.parametrize("case", CASES, ids=lambda name: name.replace(" ", "-"))
def test_names_place_problem_and_remedy(tmp_path: Path, case: str) -> None:
    text, (line, key, problem, remedy) = CASES[case]
    # A bare key must stand above the first table.
    at_top = text.endswith("\n") and not text.startswith("[")
    found = findings(tmp_path, text + MINIMAL if at_top else f"{MINIMAL}{text}\n")
    assert len(found) == 1, found
    assert found[0].place == f"{tmp_path}/trimtab.toml:{line} ({key})"
    assert problem in found[0].problem
    assert remedy in found[0].remedy


def test_reports_everything_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        '[routes.a]\nmodel = "x"\n[server]\nport = -1\nhots = 1\n[providers.local]\nparallel = 0\n',
    )
    lines = [int(finding.place.split(":")[1].split()[0]) for finding in found]
    assert lines == [2, 4, 5, 7]


def test_syntax_error_has_line_and_column(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, "[server]\r\nport 3\r\n")
    assert finding.place == f"{tmp_path}/trimtab.toml:2:6"
    assert finding.problem == "not TOML: Expected '=' after a key in a key/value pair"


def test_syntax_error_at_the_end(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, "[server]\nhost = [")
    assert finding.place == f"{tmp_path}/trimtab.toml:2:9"


def test_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "trimtab.toml"
    file.write_bytes(b"[server]\n# \xff\n")
    with pytest.raises(ConfigError, match=r"trimtab.toml:2: not UTF-8"):
        load_project(file, {}, kinds=KINDS)


@pytest.mark.parametrize("text", ["", " \n\n"])
def test_an_empty_file_is_not_a_project(tmp_path: Path, text: str) -> None:
    (finding,) = findings(tmp_path, text)
    assert finding.problem == "the file is empty"


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file\. Run: trimtab init"):
        load_project(tmp_path / "trimtab.toml", {}, kinds=KINDS)


def test_unreadable_file(tmp_path: Path) -> None:
    # A path below a file, since permissions do not stop root.
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be read: Not a directory"):
        load_project(tmp_path / "file" / "trimtab.toml", {}, kinds=KINDS)


def test_search_names_every_place(tmp_path: Path) -> None:
    start = tmp_path / "a" / "b"
    start.mkdir(parents=True)
    with pytest.raises(ConfigError) as caught:
        find_project_file(start)
    (finding,) = caught.value.findings
    assert all(str(place / "trimtab.toml") in finding.problem for place in (start, *start.parents))
    assert finding.remedy == "Run: trimtab init"


def test_search_takes_the_nearest(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "trimtab.toml").touch()
    assert find_project_file(inner) == tmp_path / "trimtab.toml"
    (tmp_path / "a" / "trimtab.toml").touch()
    assert find_project_file(inner) == tmp_path / "a" / "trimtab.toml"
