"""Signals attached to inferences: taken in, joined to version and model, told of."""
