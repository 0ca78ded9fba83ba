"""The process that runs the model: `python -m trimtab.providers.local.child`.

It prints its base URL as one line on stdout, serves OpenAI's dialect on loopback with llama.cpp,
and ends when its stdin ends. So it goes with its parent, however the parent dies, on every system.
"""

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Any

import xllamacpp  # pyright: ignore[reportMissingTypeStubs] - a native module without types

__all__ = ["MODEL_NAME", "main"]

MODEL_NAME = "smollm2-135m-instruct"
_STDOUT, _STDERR = 1, 2
_llama: Any = xllamacpp


def main() -> None:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--context-tokens", type=int, required=True)
    parser.add_argument("--parallel", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()

    # Ctrl-C reaches the whole foreground group; the parent decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The library writes to the descriptors themselves: only our line may reach the parent's pipe.
    report = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)

    try:
        server = _llama.Server(_params(options))
    except RuntimeError as error:
        sys.exit(f"llama.cpp: {error}")
    os.write(report, f"{server.listening_address}/v1\n".encode())
    while sys.stdin.buffer.read(1024):
        pass
    os._exit(0)  # an ordinary exit would wait for generations under way


def _params(options: argparse.Namespace) -> Any:  # noqa: ANN401 - a native type without stubs
    weights: Path = options.weights
    params = _llama.CommonParams()
    os.chdir(weights.parent)  # answers of the server may show the path; a bare name tells nothing
    params.model.path = weights.name
    params.model_alias = {MODEL_NAME}
    params.n_ctx = options.context_tokens
    params.n_parallel = options.parallel
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.threads
    params.n_gpu_layers = 0
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.ui = False
    params.verbosity = 0
    return params


if __name__ == "__main__":
    main()
