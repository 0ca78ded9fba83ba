"""Frozen values that cross borders between packages, and the clock. No I/O."""
