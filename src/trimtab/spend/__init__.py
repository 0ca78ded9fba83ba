"""What an inference costs: price book, exact rates, holds. Integer nano-dollars throughout."""
