"""The last good bundles on disk, for the day without a gateway. A damaged file is none."""

import hashlib
import logging
import os
import re
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from trimtab.client.bundle import Kept, read_bundle
from trimtab.client.failures import GatewayGarbage

__all__ = ["Shelf"]

_log = logging.getLogger("trimtab.client")

_MOST_BYTES: Final = 16_000_000
_ARMS: Final = ("released", "draft", "asked", "canary")  # in the order in which they are wanted
_encode = msgspec.json.Encoder(order="deterministic").encode


class Shelf:
    """One file for each prompt, version and arm.

    Args:
        folder: where; is made when there is something to write. None keeps nothing.
        base_url: of the gateway: two gateways may share a folder, and even a host.
    """

    def __init__(self, folder: Path | None, base_url: str) -> None:
        self._folder = folder
        self._base_url = base_url
        self._written: dict[Path, str] = {}
        self._complained = False

    def put(self, kept: Kept, version: str) -> None:
        """Keep a bundle that was got by asking for `version`, "" for what is served."""
        if self._folder is None:
            return
        path = self._path(kept.bundle.prompt, version, kept.bundle.arm)
        if self._written.get(path) == kept.tag:
            return
        try:
            _write(path, _encode(kept.bundle))
        except OSError as error:
            if not self._complained:
                _log.warning("cache_dir cannot be written: %s", error.strerror)
            self._complained = True
            return
        self._written[path] = kept.tag

    def get(self, prompt_id: str, version: str) -> Kept | None:
        """The last good bundle; of several arms the one that most users get."""
        if self._folder is None:
            return None
        for arm in _ARMS:
            kept = _read(self._path(prompt_id, version, arm), prompt_id)
            if kept is not None:
                return kept
        return None

    def _path(self, prompt_id: str, version: str, arm: str) -> Path:
        assert self._folder is not None
        digest = hashlib.sha256(f"{self._base_url}\0{prompt_id}\0{version}".encode()).hexdigest()
        readable = re.sub(r"[^A-Za-z0-9-]+", "-", prompt_id)[:60]
        return self._folder / f"{readable}-{digest[:16]}.{arm}.json"


def _write(path: Path, data: bytes) -> None:
    """Write a file whole, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    spare = Path(name)
    try:
        with os.fdopen(number, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        spare.replace(path)
    finally:
        spare.unlink(missing_ok=True)


def _read(path: Path, prompt_id: str) -> Kept | None:
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        return read_bundle(path.read_bytes(), prompt_id, "")
    except FileNotFoundError:
        return None
    except (OSError, GatewayGarbage):
        _log.warning("%s is damaged and not used", path.name)
        return None
