"""Numbers in texts: their values however they are written, and their units.

`1,200`, `1.2 thousand` and `twelve hundred` are one value; `90 minutes` is `1.5 hours`.
"""

import re
from typing import Final, NamedTuple

from trimtab.evals.grounding.lexicon import COUNTS, ONES, ORDINALS, TENS

__all__ = ["MULTIPLIERS", "UNITS", "WORD_VALUES", "Unit", "values_of"]


class Unit(NamedTuple):
    """Of a quantity.

    Attributes:
        dimension: as `time`; units of one dimension convert into each other.
        factor: how many of the dimension's smallest unit it is.
    """

    dimension: str
    factor: float


_UNIT_LINES: Final = """
    time 1 second seconds sec secs sekunden seconde secondes segundos
    time 60 minute minutes min mins minuten minutos
    time 3600 hour hours hr hrs h stunde stunden heure heures hora horas ore uur
    time 86400 day days tag tage tagen jour jours día días giorni dagen dias
    time 604800 week weeks woche wochen semaine semaines semana semanas settimane weken
    time 2629800 month months monat monate monaten mois mes meses mesi maanden
    time 31557600 year years yr yrs jahr jahre jahren ans années année años año anni jaar
    time 315576000 decade decades
    time 3155760000 century centuries
    length 1 mm millimetre millimetres millimeter millimeters
    length 10 cm centimetre centimetres centimeter centimeters
    length 25.4 inch inches
    length 304.8 foot feet ft
    length 914.4 yard yards
    length 1000 m metre metres meter meters
    length 1000000 km kilometre kilometres kilometer kilometers
    length 1609344 mile miles mi
    mass 1 g gram grams gramm
    mass 28.35 ounce ounces oz
    mass 453.6 pound pounds lb lbs
    mass 1000 kg kilogram kilograms kilo kilos
    mass 1000000 tonne tonnes ton tons
    volume 1 ml millilitre millilitres milliliter milliliters
    volume 1000 l litre litres liter liters
    volume 3785 gallon gallons
    data 1 kb kilobyte kilobytes
    data 1000 mb megabyte megabytes
    data 1000000 gb gigabyte gigabytes
    data 1000000000 tb terabyte terabytes
    share 1 % percent prozent procent percentage pct
    dollar 1 $ dollar dollars usd
    dollar 0.01 cent cents
    euro 1 € euro euros eur
    sterling 1 £ gbp
    yen 1 ¥ yen jpy
"""

UNITS: Final[dict[str, Unit]] = {
    name: Unit(dimension, float(factor))
    for line in _UNIT_LINES.strip().splitlines()
    for dimension, factor, *names in [line.split()]
    for name in names
}
"""By lower-case name."""

MULTIPLIERS: Final[dict[str, float]] = {
    "hundred": 1e2,
    "hundreds": 1e2,
    "thousand": 1e3,
    "thousands": 1e3,
    "tausend": 1e3,
    "mille": 1e3,
    "mil": 1e3,
    "million": 1e6,
    "millions": 1e6,
    "millionen": 1e6,
    "millones": 1e6,
    "billion": 1e9,
    "billions": 1e9,
    "milliarden": 1e9,
    "milliards": 1e9,
    "trillion": 1e12,
    "dozen": 12.0,
    "k": 1e3,
    "m": 1e6,
    "mn": 1e6,
    "bn": 1e9,
}
"""By lower-case name; they stand after a number."""

_WHOLES: Final[dict[str, float]] = (
    COUNTS
    | {word: float(value) for value, word in enumerate(ONES)}
    | {word: 10.0 * value for value, word in enumerate(TENS, start=2)}
    | {
        f"{tens}-{ones}": float(10 * high + low)
        for high, tens in enumerate(TENS, start=2)
        for low, ones in enumerate(ONES[1:10], start=1)
    }
    | {"hundred": 100.0, "thousand": 1000.0, "million": 1e6, "billion": 1e9, "dozen": 12.0}
    | {"half": 0.5, "twice": 2.0, "double": 2.0, "thrice": 3.0, "both": 2.0}
)

WORD_VALUES: Final[dict[str, tuple[float, ...]]] = (
    {word: (value,) for word, value in _WHOLES.items()}
    | {
        word: (float(value), 1 / value) if value > 2 else (float(value),)
        for value, word in enumerate(ORDINALS, start=1)
    }
    | {"quarter": (0.25,)}
)
"""Numbers in words, with all that each may mean: `fifth` is a rank or a share."""

_GROUPED: Final = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*$")


def values_of(digits: str) -> tuple[float, ...]:
    """What digits with points and commas may mean: `1.500` is 1.5 or 1500, `1,5` is 1.5.

    Args:
        digits: begins and ends with a digit; others may be `.` and `,`.
    """
    found: list[float] = []
    if _GROUPED.match(digits):
        found.append(float(digits.replace(",", "").replace(".", "")))
    marks = digits.count(",") + digits.count(".")
    if marks <= 1:
        found.append(float(digits.replace(",", ".")))
    elif not found:
        last = max(digits.rfind(","), digits.rfind("."))
        whole = re.sub(r"[.,]", "", digits[:last])
        found.append(float(f"{whole}.{digits[last + 1 :]}"))
    return tuple(found)
