"""One inference: resolve, record the intent, call, settle, reply."""
