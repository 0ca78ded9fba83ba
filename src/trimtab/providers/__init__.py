"""Providers: one per kind, one file per wire format. No provider knows another."""
