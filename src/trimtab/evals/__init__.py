"""Experiments: evaluators, runs, comparison of two setups, gates and reports."""
