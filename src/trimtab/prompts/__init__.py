"""Prompts as files: versions, templates, differences."""
