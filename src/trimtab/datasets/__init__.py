"""Suites: cases, what is expected of the answers, hashes, and other tools' formats."""
