"""Suites of other tools as ours. Nothing of a foreign file is ever run."""
