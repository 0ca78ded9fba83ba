"""Measures the data plane: CPU per request and per streamed frame, beside a direct call."""
