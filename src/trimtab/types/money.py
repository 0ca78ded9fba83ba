"""Money is integer nano-dollars (1e-9 USD): no float ever holds an amount."""

from decimal import Decimal

__all__ = ["NANO_PER_USD", "format_usd"]

NANO_PER_USD = 1_000_000_000


def format_usd(nanousd: int, digits: int = 4) -> str:
    """An amount for people: two decimals from a dollar up, else so many significant digits.

    >>> format_usd(12_340_000_000), format_usd(1_234_567), format_usd(0), format_usd(-75)
    ('$12.34', '$0.001235', '$0', '-$0.000000075')
    """
    if nanousd == 0:
        return "$0"
    sign = "-" if nanousd < 0 else ""
    amount = Decimal(abs(nanousd)) / NANO_PER_USD
    if amount >= 1:
        return f"{sign}${amount:,.2f}"
    places = digits - 1 - amount.adjusted()
    return f"{sign}${amount:.{places}f}".rstrip("0")
