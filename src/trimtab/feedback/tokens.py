"""Tokens with which a browser, which has no key, may give feedback on one inference.

A token is the inference's id and a keyed BLAKE2b of it (RFC 7693), 16 bytes as hex. The id says
when the inference began, and so when the token ends.
"""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from trimtab.errors import InvalidToken, StoreError

__all__ = ["FeedbackTokens", "read_secret"]

_FILE: Final = "feedback.secret"
_SECRET_BYTES: Final = 32
_MAC_BYTES: Final = 16
_MS_PER_DAY: Final = 86_400_000
_NS_PER_MS: Final = 1_000_000
_MILLISECONDS: Final = slice(4, 16)  # in an id, which begins with `inf_`
_REMEDY: Final = (
    "Send the one from the header x-trimtab-feedback of the answer, or a key and `inference_id`."
)


class FeedbackTokens:
    """Makes and reads tokens.

    Args:
        secret: what signs them.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def header_line(self, inference_id: str) -> bytes:
        """The token of an inference as a header line; on the hot path."""
        return b"x-trimtab-feedback: %b\r\n" % self.token(inference_id).encode()

    def token(self, inference_id: str) -> str:
        """The token of an inference."""
        mac = hashlib.blake2b(inference_id.encode(), key=self._secret, digest_size=_MAC_BYTES)
        return f"{inference_id}.{mac.hexdigest()}"

    def inference_of(self, token: str, *, now_ns: int, days: int) -> str:
        """The inference that a token is of.

        Args:
            token: as it was sent.
            now_ns: UTC nanoseconds.
            days: how long it is good, from the start of its inference.

        Raises:
            InvalidToken: it is none of ours, or too old.
        """
        inference_id = token.partition(".")[0]
        expected = self.token(inference_id).encode()
        if not hmac.compare_digest(expected, token.encode()):
            raise InvalidToken(f"This is no feedback token of this gateway. {_REMEDY}")
        began_ms = int(inference_id[_MILLISECONDS], 16)
        if now_ns // _NS_PER_MS > began_ms + days * _MS_PER_DAY:
            raise InvalidToken(
                f"This feedback token is older than {days} days, which is [tokens] days in "
                "feedback.toml. Give feedback under a key instead."
            )
        return inference_id


def read_secret(data_dir: Path) -> bytes:
    """The secret of a data folder, made if it is not there; the same in every process.

    Raises:
        StoreError: it cannot be read or made.
    """
    path = data_dir / _FILE
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            aside = path.with_name(f".{_FILE}.{secrets.token_hex(8)}")
            aside.touch(0o600, exist_ok=False)
            aside.write_bytes(secrets.token_bytes(_SECRET_BYTES))
            with suppress(FileExistsError):  # another process was faster
                os.link(aside, path)
            aside.unlink()
        secret = path.read_bytes()
    except OSError as error:
        raise StoreError(
            f"{path} cannot be used ({error.strerror}). Check the owner and mode of the folder."
        ) from error
    if len(secret) != _SECRET_BYTES:
        raise StoreError(f"{path} is damaged. Delete it; tokens that were given are void then.")
    return secret
