"""Whatever a provider writes where a number should be: nothing is raised, nothing is refunded."""

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest

from golden.corpus import SHAPES, Shape
from golden.wires import read
from trimtab.providers.usage.reading import Reading
from trimtab.types.usage import NO_USAGE, Usage

ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    0.5,
    7.0,
    "7",
    "-7",
    "",
    "NaN",
    10**30,
    -(10**30),
    [],
    {},
    [{"tokenCount": -3}],
)
WHOLE = [shape for shape in SHAPES if not shape.streamed and shape.payloads[0].startswith(b"{")]
FEW = [shape for shape in WHOLE if shape.usage is not None and shape.provider != "odd"][::4]


def _with_each_number_replaced(value: Any, odd: Any) -> Iterator[Any]:
    """Copies of `value` in which one number, or one object of numbers, is `odd`."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        for name, entry in fields.items():
            if isinstance(entry, int | float | dict):
                yield {**fields, name: odd}
            for changed in _with_each_number_replaced(entry, odd):
                yield {**fields, name: changed}
    elif isinstance(value, list):
        entries = cast("list[Any]", value)
        for place, entry in enumerate(entries):
            for changed in _with_each_number_replaced(entry, odd):
                yield [*entries[:place], changed, *entries[place + 1 :]]


@pytest.mark.parametrize("shape", FEW, ids=[shape.name for shape in FEW])
def test_one_odd_number_neither_raises_nor_refunds(shape: Shape) -> None:
    card = shape.card()
    body = json.loads(shape.payloads[0])
    for odd in ODD:
        for changed in _with_each_number_replaced(body, odd):
            reading = read(shape.wire, [json.dumps(changed).encode()], streamed=False)
            usage = (reading and reading.usage) or NO_USAGE
            assert card.cost_nanousd(usage) >= 0
            for part, whole in (
                (usage.cache_read_tokens + usage.cache_write_tokens, usage.input_tokens),
                (usage.input_audio_tokens, usage.input_tokens),
                (usage.cache_write_1h_tokens, usage.cache_write_tokens),
                (usage.reasoning_tokens + usage.output_audio_tokens, usage.output_tokens),
            ):
                assert 0 <= part <= whole


@pytest.mark.parametrize("number", ["1e999999999999999999999", "1e-999999999999999999999", "1e999"])
def test_a_number_that_no_decimal_can_hold_is_not_believed(number: str) -> None:
    """As a count, and as an amount; the count beside it is read all the same."""
    usage = f'{{"prompt_tokens":{number},"completion_tokens":3,"cost":{number}}}'
    reading = read("openai_chat", [f'{{"choices":[],"usage":{usage}}}'.encode()], streamed=False)
    assert reading is not None
    assert reading.usage == Usage(output_tokens=3)
    assert reading.unreported == {"input_tokens"}


def test_a_total_alone_tells_nothing_of_its_parts() -> None:
    body = b'{"choices":[],"usage":{"total_tokens":9}}'
    reading = read("openai_chat", [body], streamed=False)
    assert reading == Reading(unreported=frozenset(("input_tokens", "output_tokens")))


@pytest.mark.parametrize("wire", sorted({shape.wire for shape in SHAPES}))
@pytest.mark.parametrize("body", [b"", b"7", b"[]", b"{}", b'{"usage":', b"\xff\xfe", b"null"])
def test_what_is_no_answer_is_no_reading(wire: str, body: bytes) -> None:
    assert read(wire, [body], streamed=False) is None
    assert read(wire, [body], streamed=True) is None
