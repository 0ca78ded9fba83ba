"""Prompts of other tools as ours, and ours as theirs."""
