"""docs/usage.md against the corpus and the readers."""

import re
import tomllib
from pathlib import Path

from golden.corpus import SHAPES
from golden.wires import WIRES
from trimtab.types.usage import Usage

PAGE = (Path(__file__).parents[2] / "docs" / "usage.md").read_text(encoding="utf-8")
TITLES = {
    "anthropic": "Anthropic",
    "azure": "Azure",
    "bedrock_converse": "Bedrock `Converse`",
    "bedrock_invoke": "Bedrock `InvokeModel`",
    "deepseek": "DeepSeek",
    "gemini": "Google",
    "groq": "Groq",
    "mistral": "Mistral",
    "moonshot": "Moonshot",
    "openai_chat": "OpenAI",
    "openai_responses": "OpenAI",
    "openrouter": "OpenRouter",
    "together": "Together",
    "vllm": "vLLM",
    "xai": "xAI",
    "zhipu": "Zhipu",
}


def test_the_page_has_a_row_for_each_provider_and_reader() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    assert {shape.provider for shape in SHAPES} - {"odd"} == set(TITLES)
    for title in TITLES.values():
        assert any(title in row.split("|")[1] for row in rows), title
    for wire in WIRES:
        assert any(f"`{wire}`" in row for row in rows), wire


def test_the_page_explains_each_field() -> None:
    explained = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert set(explained) == set(Usage.__struct_fields__)


def test_the_example_on_the_page_is_a_shape() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    file = tomllib.loads(example)
    assert file["wire"] in WIRES
    assert file["cost"]["nanousd"] == 373_000
