"""Rules of the house that no linter knows."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import trimtab
from trimtab import errors
from trimtab.errors import REPLIES, TrimtabError, reply_of

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "trimtab"
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
TOO_LONG: set[str] = set()  # only ever shrinks


def modules():
    # The suites of the examples are data: their `evaluators.py` is no module.
    return sorted(path for path in SOURCE.rglob("*.py") if "examples" not in path.parts)


def test_files_and_functions_stay_small():
    found: set[str] = set()
    for path in modules():
        text = path.read_text()
        if len(text.splitlines()) > MAX_FILE_LINES:
            found.add(str(path.relative_to(SOURCE)))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                if node.end_lineno - node.lineno >= MAX_FUNCTION_LINES:
                    found.add(f"{path.relative_to(SOURCE)}:{node.name}")
    assert found == TOO_LONG


def subclasses(cls: type[TrimtabError]) -> set[type[TrimtabError]]:
    return {cls}.union(*(subclasses(sub) for sub in cls.__subclasses__()))


def test_every_error_has_its_reply_and_its_place_in_the_tree():
    ours = {cls for cls in subclasses(TrimtabError) if cls.__module__ == errors.__name__}
    assert set(REPLIES) == ours
    assert errors.__doc__ is not None
    drawn = set(re.findall(r"^[│ ]*[├└]?─* ?([A-Z]\w+)", errors.__doc__, re.MULTILINE))
    assert {cls.__name__ for cls in ours} <= drawn
    codes = [reply.code for reply in REPLIES.values()]
    assert len(codes) == len(set(codes))


def test_an_error_from_outside_the_tree_is_an_internal_one():
    assert reply_of(ValueError("x")).status == 500


def test_the_architecture_page_shows_the_checked_layers():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = contracts["contracts"][0]["layers"]
    present = [
        [name.strip() for name in layer.split("|") if not name.strip().startswith("(")]
        for layer in layers
    ]
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| \d+ \| (.*?) \| ", page, re.MULTILINE)
    shown = [re.findall(r"`(\w+)`", row) for row in rows]
    assert shown == [names for names in present if names]


def test_the_http_page_names_every_code_that_a_caller_can_get():
    page = (ROOT / "docs" / "http.md").read_text()
    inside = {"usage", "configuration_error", "invalid_request", "provider_error", "store_error"}
    inside |= {"internal_error", "provider_refused", "caller_gone", "ledger_damaged", "superseded"}
    for reply in REPLIES.values():
        assert reply.code in inside or f"`{reply.code}`" in page, reply.code


def test_every_dependency_has_its_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    page = (ROOT / "docs" / "dependencies.md").read_text()
    needed = [*project["dependencies"], *project["optional-dependencies"]["demo"]]
    needed += project["optional-dependencies"]["evals"]
    needed += (ROOT / "requirements" / "dev.in").read_text().splitlines()
    for requirement in needed:
        name = re.split(r"[>=<;\s\[]", requirement)[0]
        assert f"`{name}`" in page, name
    assert len(project["dependencies"]) <= 12


def test_public_modules_say_what_they_offer():
    for path in modules():
        tree = ast.parse(path.read_text())
        if path.name == "__main__.py" or not any(
            isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
            for node in tree.body
        ):
            continue
        names = {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        assert "__all__" in names, path


def test_the_shop_window_is_light():
    heavy = [
        "uvloop",
        "sqlite3",
        "genai_prices",
        "starlette",
        "rich",
        "typer",
        "asyncio",
        "msgspec",
    ]
    script = f"import sys, trimtab; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert found.strip() == "[]"
    assert trimtab.__doc__


def test_no_registry_address_and_no_machine_path_is_written_anywhere():
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    registries = ["py" + r"pi\.org", "python" + "hosted", "npm" + r"js\.org"]
    pattern = re.compile("|".join(registries))
    for name in files:
        path = ROOT / name
        if path.suffix in {".md", ".txt", ".toml", ".json", ".py", ".npmrc", ""}:
            assert not pattern.search(path.read_text(errors="ignore")), name


def test_examples_in_the_readme_run_as_python():
    for block in re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL):
        compile(block, "README.md", "exec")
