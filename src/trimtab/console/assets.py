"""Static files: ours, those of reports, the vendored ones; read once, named by their content."""

from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["asset_url", "serve_asset"]

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "cache-control": "public, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
}


class _Asset(NamedTuple):
    content: bytes
    digest: str
    media_type: str


def asset_url(name: str) -> str:
    """Where a static file is; another content has another address."""
    return f"/console/static/{_ASSETS[name].digest}/{name}"


async def serve_asset(request: Request) -> Response:
    """A static file under its present address, for ever; nothing under any other."""
    asset = _ASSETS.get(request.path_params["name"])
    if asset is None or asset.digest != request.path_params["digest"]:
        headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
        return Response("No such file. Reload the page.", 404, headers, "text/plain")
    return Response(asset.content, 200, _HEADERS, asset.media_type)


def _read(folder: Traversable) -> dict[str, _Asset]:
    found: dict[str, _Asset] = {}
    for file in folder.iterdir():
        media_type = _TYPES.get(file.name[file.name.rfind(".") :])
        if media_type is not None:
            content = file.read_bytes()
            found[file.name] = _Asset(content, sha256(content).hexdigest()[:16], media_type)
    return found


_STATIC = files("trimtab.console") / "static"
_FOLDERS = (
    _STATIC,
    _STATIC / "vendor",
    files("trimtab.looks"),
    files("trimtab.evals.reports.html"),
)
_ASSETS = {name: asset for folder in _FOLDERS for name, asset in _read(folder).items()}
