"""Wire formats: pure functions and small state machines from bytes to meaning. No sockets."""
