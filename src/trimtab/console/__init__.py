"""The console at `/console`: read-only pages, each one question to the records and one template."""
