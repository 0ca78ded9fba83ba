# ruff: noqa: E501 - the texts of files, most of them in one line
"""Prompts of ours for round trips, each with variables to render it with."""

from typing import Any

import msgspec

from trimtab.prompts.formats.border import Imported, ImportedPrompt, Origin
from trimtab.prompts.formats.table import FORMATS
from trimtab.prompts.parse import file_of, parse_prompt
from trimtab.prompts.prompt import Prompt


class Case(msgspec.Struct, frozen=True):
    """A prompt.

    Attributes:
        text: of its file.
        variables: to render it with, several times.
        uses: what not every format has: "blocks", "image".
        files: partials and tools.
    """

    text: str
    variables: tuple[dict[str, Any], ...] = ({},)
    uses: frozenset[str] = frozenset()
    files: dict[str, str] = {}


BLOCKS, IMAGE = frozenset(("blocks",)), frozenset(("image",))

_TOOL = """{"name": "lookup_order", "description": "Find an order.",
 "parameters": {"type": "object", "properties": {"order": {"type": "string"}},
  "required": ["order"], "additionalProperties": false}}"""

CASES: dict[str, Case] = {
    "plain": Case("---\nmodel: fast\n---\nSay hello to {{ name }}.\n", ({"name": "Ada"},)),
    "support/triage": Case(
        "---\nmodel: support-main\nconfig: {temperature: 0.2, max_tokens: 400}\n"
        "description: Sorts tickets.\nowners: ['@support']\nsuite: triage\n---\n"
        "<<system>>\nYou sort tickets of {{ company }}.\n\nBe short.\n<<user>>\n{{ ticket }}\n",
        ({"company": "Acme", "ticket": "It {{ does }} not {% work %}"},),
    ),
    "schema": Case(
        "---\nmodel: m\ninput:\n  schema: {ticket: 'string, what was written', locale?: string}\n"
        "  default: {locale: en}\n  untrusted: [ticket]\n---\n{{ ticket }} in {{ locale }}\n",
        ({"ticket": "x"}, {"ticket": "y", "locale": "de"}),
    ),
    "deep-schema": Case(
        "---\nmodel: m\ninput:\n  schema:\n    type: object\n    properties:\n      a: {type: string, minLength: 2}\n"
        "      b: {anyOf: [{type: string}, {type: 'null'}]}\n    required: [a]\n---\n{{ a }}\n",
        ({"a": "xx"},),
    ),
    "output": Case(
        "---\nmodel: m\noutput:\n  schema: {team(enum): [billing, tech], urgent: boolean}\n  repair: true\n---\nSort it.\n"
    ),
    "deep-output": Case(
        "---\nmodel: m\noutput:\n  schema:\n    type: object\n    properties: {n: {type: integer, minimum: 1}}\n---\nCount.\n"
    ),
    "tools": Case(
        "---\nmodel: m\ntools: [lookup_order]\n---\n<<system>>\nHelp.\n<<user>>\nWhere is {{ order }}?\n",
        ({"order": "A1"},),
        files={"_tools/lookup_order.json": _TOOL},
    ),
    "history": Case(
        "---\nmodel: m\n---\n<<system>>\nBe kind.\n<<history>>\n<<user>>\n{{ question }}\n", ({"question": "why?"},)
    ),
    "history-last": Case("---\nmodel: m\n---\n<<system>>\nBe kind to {{ name }}.\n<<history>>\n", ({"name": "A"},)),
    "examples": Case(
        "---\nmodel: m\n---\n<<system>>\nTranslate.\n<<user>>\nHund\n<<assistant>>\ndog\n<<user>>\n{{ word }}\n",
        ({"word": "Katze"},),
    ),
    "system-only": Case("---\nmodel: m\n---\n<<system>>\nYou are {{ who }}.\n", ({"who": "a poet"},)),
    "partials": Case(
        "---\nmodel: m\n---\n<<system>>\n{% include \"_partials/tone.md\" %}\nThen answer.\n<<user>>\n{{ q }}\n",
        ({"q": "x", "brand": "Acme"},),
        files={
            "_partials/tone.md": "Kind,\nas {{ brand }}.\n{% include \"_partials/deep/end.md\" %}\n",
            "_partials/deep/end.md": "The end.\n",
        },
    ),
    "config": Case(
        "---\nmodel: m\nconfig:\n  temperature: 0\n  top_p: 0.5\n  stop: [END]\n  reasoning_effort: low\n"
        "  max_completion_tokens: 9\n  seed: 7\n  metadata_x: {a: [1, {b: null}]}\n---\nGo.\n"
    ),
    "config-odd": Case(
        "---\nmodel: m\nconfig: {max_tokens: 5, maxOutputTokens: 6, response_format: {type: json_object}}\n---\nGo.\n"
    ),
    "unicode": Case("---\nmodel: m\ndescription: 'Ü: # \"x\" é 🙂'\n---\n¿Qué? 🙂 {{ x }}\u2028{{ x }}\n", ({"x": "ß"},)),
    "fields": Case("---\nmodel: m\n---\n{{ a_b }} {{ Ab1 }}\n", ({"a_b": "1", "Ab1": "2"},)),
    "braces": Case("---\nmodel: m\n---\n{\"a\": {{ x }}, \"b\": {}} } { $& \\ {{ x }}\n", ({"x": "1"},)),
    "image": Case(
        "---\nmodel: m\n---\n<<user>>\nLook at\n<<image photo>>\nand {{ x }}\n",
        ({"photo": "https://a.example/b.png", "x": "y"},),
        IMAGE,
    ),
    "if": Case(
        "---\nmodel: m\ninput: {schema: {vip: boolean, name?: string}}\n---\nHello\n{% if vip %}\nDear {{ name | default(\"\") }}\n"
        "{% else %}\n  Hi\n{% endif %}\nBye {% if not vip %}soon{% endif %}\nEnd\n",
        ({"vip": True, "name": "A"}, {"vip": False}),
        BLOCKS,
    ),
    "equal": Case(
        "---\nmodel: m\n---\n{% if tone == \"formal\" %}\nSir\n{% elif tone == \"warm\" %}\nDear\n{% elif tone != other %}\nHm\n"
        "{% else %}\nHi\n{% endif %}\nx\n",
        tuple({"tone": tone, "other": "q"} for tone in ("formal", "warm", "z", "q")),
        BLOCKS,
    ),
    "loop": Case(
        "---\nmodel: m\n---\nItems:\n{% for item in items %}\n- {{ item.name }} ({{ loop.index0 }}) of {{ shop }}\n"
        "{% for tag in item.tags %} {{ tag }}/{{ item.name }}{% endfor %}\n\n{% else %}\nnone\n{% endfor %}\nEnd\n",
        (
            {"items": [{"name": "a", "tags": ["x", "y"]}, {"name": "b", "tags": []}], "shop": "S"},
            {"items": [], "shop": "S"},
        ),
        BLOCKS,
    ),
    "nested": Case(
        "---\nmodel: m\n---\n{# a note #}\n{% for row in rows %}{% if row.ok %}{{ row.a.b }}{% if not loop.last %}, {% endif %}"
        "{% endif %}{% endfor %}.\n  {% if rows %} some{% endif %}\n",
        ({"rows": [{"ok": True, "a": {"b": 1}}, {"ok": False}, {"ok": True, "a": {"b": 2}}]},),
        BLOCKS,
    ),
    "present": Case(
        "---\nmodel: m\n---\nA{% if name is defined and name %}\n\nB {{ name }}{% endif %} {{ deep.er }}\n",
        ({"deep": {"er": 1}}, {"name": "N", "deep": {"er": "x"}}),
        BLOCKS,
    ),
    "mapping": Case(
        "---\nmodel: m\n---\n{% for key, value in prices | items %}\n{{ key }}={{ value }}\n{% endfor %}\n{{ prices | tojson }}\n",
        ({"prices": {"a": 1, "b": 2}},),
        BLOCKS,
    ),
    "literal": Case(
        "---\nmodel: m\n---\nWrite {% raw %}{{name}} and {% if %} and {# x #} {{{{ }}{% endraw %} or {{ x }}\n{{ \"<<\" }}user>>\n",
        ({"x": "y"},),
        BLOCKS,
    ),
    "fence": Case("---\nmodel: m\n---\nMail:\n{{ mail | fence }}\n", ({"mail": "hello"},)),
}  # fmt: skip

HAS = {
    "dotprompt": BLOCKS | IMAGE,
    "langfuse": frozenset[str](),
    "openai": IMAGE,
    "promptfoo": BLOCKS | IMAGE,
    "prompty": BLOCKS | IMAGE,
}
"""What each format has of what not every one has."""


def prompt_of(prompt_id: str, case: Case) -> Prompt:
    """A case, parsed."""
    return parse_prompt(prompt_id, {**case.files, file_of(prompt_id): case.text}.get)


def parsed(imported: ImportedPrompt) -> Prompt:
    """What was imported, as the gateway reads it."""
    return parse_prompt(imported.id, {**imported.files, file_of(imported.id): imported.text}.get)


def round_trip(name: str, prompt: Prompt) -> tuple[Prompt, str]:
    """Exported and imported again; also the text in between."""
    exported = FORMATS[name].export(prompt)
    origin = Origin(file="file", read=exported.files.get)
    imported: Imported = FORMATS[name].import_(exported.text, origin)
    (one,) = imported.prompts
    return parsed(one), exported.text
