"""The files that `trimtab init` writes."""

__all__ = ["GITIGNORE", "render_starter"]

GITIGNORE = """\
# Data of trimtab: ledger, events, rollups. Back it up; do not commit it.
.trimtab/
"""

_STARTER = """\
# {name}: how its calls to language models are served.
# Every key is explained in docs/config.md. `trimtab check` tells what is wrong here.

[server]
host = "127.0.0.1"            # without keys, only this machine may call
port = 8080

[recording]
bodies = "off"                # "full" keeps request and response texts in .trimtab/
retention_days = 30

[providers.openai]
api_key_env = "OPENAI_API_KEY"   # the name of the variable, never the key itself
# base_url = "https://api.openai.com/v1"   # or another service; then give its models a price

# [providers.local]           # a small model on this machine; needs trimtab[demo]
# context_tokens = 4096

# Callers write model = "fast"; which model that is changes here, not in their code.
[models.fast]
ref = "openai:gpt-4.1-mini-2025-04-14"
max_output_tokens = 4096      # what a request may cost at most, when it sets no limit itself

[models.mini]
ref = "openai:gpt-5-mini-2025-08-07"

[models.smart]
ref = "openai:gpt-5.2-2025-12-11"

# A model that the price book does not know is refused until it has a price:
# [models.mine]
# ref = "openai:my-model"
# price = {{input_usd_per_mtok = 0.4, output_usd_per_mtok = 1.6}}

# Limits in seconds for every model without a route of its own.
[routes.default]
timeouts = {{connect_s = 5, ttft_s = 30, idle_s = 30, total_s = 300}}

# A route is a second name for a model, with limits of its own. Callers write model = "support".
[routes.support]
model = "fast"
timeouts = {{ttft_s = 8}}
"""


def render_starter(name: str) -> str:
    """A commented `trimtab.toml` for the project `name`; it loads without any change."""
    return _STARTER.format(name=" ".join(name.split()) or "This project")
