"""Who is measured, and how each is run: the commands and files are the ones that the report shows.

In templates `$port` is where the contender listens, `$provider` the port of the fake provider,
`$folder` a folder of its own, `$spare` a second free port. Commands run in the root of the
checkout.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["CONTENDERS", "DIRECT", "LITELLM", "NGINX", "OURS", "PORTKEY", "SMG", "Contender"]

ROOT = Path(__file__).parent.parent
DIRECT = "direct call"
OURS = "trimtab"
NGINX = "nginx"
SMG = "smg"
PORTKEY = "Portkey"
LITELLM = "LiteLLM"


class Contender(NamedTuple):
    """How to run one gateway. `version` answers None when it is not installed."""

    name: str
    what: str
    version: Callable[[], str | None]
    command: str
    files: Mapping[str, str] = {}
    environment: Mapping[str, str] = {}
    headers: tuple[str, ...] = ()
    key_command: str = ""  # prints JSON with the secret that callers then send
    slow: bool = False
    starts: int = 3


def _said_by(*command: str) -> str | None:
    """What a command that tells a version prints; None when there is no such command."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return (done.stdout + done.stderr).strip()


def _version_in(folder: str, package: str) -> Callable[[], str | None]:
    script = f"from importlib.metadata import version; print(version({package!r}))"
    return lambda: _said_by(f".bench/{folder}/bin/python", "-c", script)


def _our_version() -> str | None:
    commit = _said_by("git", "rev-parse", "--short", "HEAD")
    script = "from importlib.metadata import version; print(version('trimtab'))"
    version = _said_by(sys.executable, "-c", script)
    return f"{version} at {commit}" if commit else version


def _nginx_version() -> str | None:
    said = _said_by("nginx", "-v") if shutil.which("nginx") else None
    found = re.search(r"nginx/(\S+)", said or "")
    return found[1] if found else None


def _portkey_version() -> str | None:
    package = ROOT / "bench/portkey/node_modules/@portkey-ai/gateway/package.json"
    node = _said_by("node", "--version")
    if node is None or not package.exists():
        return None
    return f"{json.loads(package.read_text(encoding='utf-8'))['version']} on Node {node}"


_TRIMTAB = Contender(
    OURS,
    "one process; key, limits, budgets, durable ledger, events, prices: everything is on",
    _our_version,
    "$python -m trimtab up --project $folder --port $port",
    files={
        "trimtab.toml": """\
[providers.fake]
kind = "openai"
base_url = "http://127.0.0.1:$provider/v1"
[models.fast]
ref = "fake:gpt-bench"
price = {input_usd_per_mtok = 0.4, output_usd_per_mtok = 1.6}
[budgets.key]
per = "key"
window = "day"
limit_usd = 1_000_000
[budgets.all]
per = "total"
window = "month"
limit_usd = 1_000_000
[limits.key]
per = "key"
requests_per_minute = 1_000_000_000
tokens_per_minute = 1_000_000_000
concurrent = 1_000_000
"""
    },
    key_command="$python -m trimtab keys create bench --project $folder --json",
)

_NGINX = Contender(
    NGINX,
    "one worker, plain proxy: the practical limit. No key, no record",
    _nginx_version,
    "nginx -e stderr -p $folder -c $folder/nginx.conf",
    files={
        "nginx.conf": """\
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  tcp_nodelay on;
  keepalive_requests 1000000;
  upstream provider { server 127.0.0.1:$provider; keepalive 512; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:$port;
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
"""
    },
)

_SMG = Contender(
    SMG,
    "backend mode `openai`, one worker URL, no history, no health checks",
    _version_in("smg", "smg"),
    ".bench/smg/bin/smg launch --host 127.0.0.1 --port $port"
    " --worker-urls http://127.0.0.1:$provider --backend openai --history-backend none"
    " --policy round_robin --disable-tokenizer-autoload --disable-health-check"
    " --disable-load-monitoring --log-level error"
    " --prometheus-host 127.0.0.1 --prometheus-port $spare",
)

_PORTKEY = Contender(
    PORTKEY,
    "production mode, headless; a preloaded file binds it to loopback only",
    _portkey_version,
    "node --import ./bench/portkey/loopback.mjs"
    " bench/portkey/node_modules/@portkey-ai/gateway/build/start-server.js"
    " --headless --port=$port",
    environment={"NODE_ENV": "production"},
    headers=(
        "authorization: Bearer sk-bench",
        "x-portkey-provider: openai",
        "x-portkey-custom-host: http://127.0.0.1:$provider/v1",
    ),
    slow=True,
)

_LITELLM = Contender(
    LITELLM,
    "one uvicorn worker, master key, no database, its local price map",
    _version_in("litellm", "litellm"),
    ".bench/litellm/bin/litellm --config $folder/config.yaml --host 127.0.0.1 --port $port"
    " --num_workers 1 --telemetry False",
    files={
        "config.yaml": """\
model_list:
  - model_name: fast
    litellm_params:
      model: openai/gpt-bench
      api_base: http://127.0.0.1:$provider/v1
      api_key: sk-provider
general_settings:
  master_key: sk-bench
litellm_settings:
  set_verbose: false
  request_timeout: 600
"""
    },
    environment={
        "LITELLM_LOG": "ERROR",
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    },
    headers=("authorization: Bearer sk-bench",),
    slow=True,
    starts=1,
)

CONTENDERS = (_TRIMTAB, _NGINX, _SMG, _PORTKEY, _LITELLM)
