"""The files of the corpus, read: one recording each, with what it must cost and why."""

import base64
import json
import re
import tomllib
from decimal import Decimal
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any, NamedTuple, cast

from trimtab.spend.rates import CardPrices, RateCard, TieredPrice, Unit, compile_card
from trimtab.types.usage import NO_USAGE, Usage

FOLDER = Path(__file__).parent / "shapes"
NANO_PER_MTOK_USD = 1_000  # a dollar per million tokens is a thousand nano-dollars per token

# As in: "1,200 input x 0.40 = 480,000"
_LINE = re.compile(r"([\d,]+) (\w+) x ([\d.]+) = ([\d,]+(?:\.\d+)?)")


class Line(NamedTuple):
    """One line of the working: tokens of one unit, at a price in USD per million tokens."""

    tokens: int
    unit: str
    price: Fraction
    nanousd: Fraction


class Shape(NamedTuple):
    """One file.

    Attributes:
        wire: the format, by the name of its reader.
        kinds: what it is an example of.
        payloads: one for a whole answer, several for a stream.
        prices: USD per million tokens, by unit.
        tiers: (total input above which they hold, prices).
        usage: expected; None where nothing is reported.
        reading: the other fields expected of the reading.
    """

    name: str
    wire: str
    kinds: frozenset[str]
    source: str
    streamed: bool
    payloads: tuple[bytes, ...]
    prices: dict[str, str]
    tiers: tuple[tuple[int, dict[str, str]], ...]
    usage: Usage | None
    reading: dict[str, Any]
    working: tuple[Line, ...]
    nanousd: int

    @property
    def provider(self) -> str:
        return self.name.split("/")[0]

    def card(self) -> RateCard:
        """The prices of the file, compiled by our own code."""
        units = {unit: Decimal(price) for unit, price in self.prices.items()}
        tiers = [
            (start, {unit: Decimal(price) for unit, price in prices.items()})
            for start, prices in self.tiers
        ]
        priced = {
            unit: TieredPrice(base, tuple((start, p[unit]) for start, p in tiers if unit in p))
            for unit, base in units.items()
        }
        return compile_card(CardPrices(cast("dict[Unit, TieredPrice]", priced)), "golden/1")

    def price_of(self, unit: str) -> Fraction:
        """The price of one unit at the input of this request, as it is written in the file."""
        price = self.prices[unit]
        total = (self.usage or NO_USAGE).input_tokens
        for start, prices in self.tiers:
            if total > start:
                price = prices.get(unit, price)
        return Fraction(price)

    def total(self) -> int:
        """The sum of the lines, rounded once, half up."""
        return floor(sum((line.nanousd for line in self.working), Fraction(1, 2)))


def parse_line(text: str) -> Line:
    found = _LINE.fullmatch(text)
    assert found, f"{text!r} is not like '1,200 input x 0.40 = 480,000'"
    tokens, unit, price, nanousd = found.groups()
    return Line(
        int(tokens.replace(",", "")), unit, Fraction(price), Fraction(nanousd.replace(",", ""))
    )


def _wrap(payload: str, how: str) -> str:
    """A payload as Amazon's event stream carries it, so that the file can show what is inside."""
    if not how:
        return payload
    part = {"bytes": base64.b64encode(payload.encode()).decode(), "p": "abcd"}
    return json.dumps({"chunk": part} if how == "chunk" else part)


def load_shape(path: Path) -> Shape:
    file = tomllib.loads(path.read_text(encoding="utf-8"))
    streamed = "events" in file
    payloads = file["events"] if streamed else [file["body"]]
    reading: dict[str, Any] = file.get("reading", {})
    if "unreported" in reading:
        reading["unreported"] = frozenset(reading["unreported"])
    return Shape(
        name=path.relative_to(FOLDER).with_suffix("").as_posix(),
        wire=file["wire"],
        kinds=frozenset(file["kinds"]),
        source=file["source"],
        streamed=streamed,
        payloads=tuple(_wrap(text, file.get("wrapped", "")).encode() for text in payloads),
        prices=file.get("prices", {}),
        tiers=tuple((tier.pop("above"), tier) for tier in file.get("tiers", [])),
        usage=Usage(**file["usage"]) if "usage" in file else None,
        reading=reading,
        working=tuple(parse_line(line) for line in file["cost"]["working"]),
        nanousd=file["cost"]["nanousd"],
    )


SHAPES = tuple(load_shape(path) for path in sorted(FOLDER.rglob("*.toml")))
