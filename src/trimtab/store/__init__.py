"""What is kept: the ledger, and the events and rollups derived from it."""
