"""Prompts that hide outside of prompt files: found, and turned into prompt files."""
