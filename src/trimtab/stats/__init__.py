"""Pure mathematics on numbers that the store already holds. No I/O."""
