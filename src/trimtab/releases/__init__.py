"""Which version of a prompt, at which model, is served in which environment; and why."""
