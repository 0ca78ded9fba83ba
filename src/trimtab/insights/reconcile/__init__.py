"""Whether a provider's bill says what the ledger says."""
