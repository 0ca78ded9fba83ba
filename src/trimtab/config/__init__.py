"""`trimtab.toml` -> one immutable `Project`. The only package that reads the environment."""
