"""Reports of an experiment: its result for terminals, programs, CI, pull requests, browsers."""
