"""Whether an answer refuses: read without a model, in sixteen languages."""
