"""Whether what an answer says stands in its sources: word by word, without a model."""
