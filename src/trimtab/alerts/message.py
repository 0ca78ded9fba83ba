"""An alert as it is sent: body and headers.

After Standard Webhooks 1.0 (https://github.com/standard-webhooks/standard-webhooks): the signature
is the HMAC-SHA256 of `id.timestamp.body` in base64, behind a `v1,`.
"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from trimtab.config.alerts import Webhook, signing_key
from trimtab.types.alerts import Alert
from trimtab.types.clock import NS_PER_S

__all__ = ["Message", "body_of", "headers_of"]

_AGENT: Final = "trimtab"


class Message(NamedTuple):
    """What one receiver gets; the same at each try.

    Attributes:
        alert_id: also tells the receiver what it has seen already.
        body: JSON.
    """

    alert_id: str
    body: bytes


def body_of(alert: Alert, event: str = "") -> bytes:
    """The JSON body: `type`, `timestamp` and `data`; `event` instead of `alert.KIND`."""
    noticed = datetime.fromtimestamp(alert.at_ns // NS_PER_S, UTC)
    return msgspec.json.encode(
        {
            "type": event or f"alert.{alert.kind}",
            "timestamp": noticed.isoformat().replace("+00:00", "Z"),
            "data": {
                "kind": alert.kind,
                "key": alert.key,
                "message": alert.message,
                "facts": alert.facts,
            },
        }
    )


def headers_of(message: Message, webhook: Webhook, *, now_ns: int) -> dict[str, str]:
    """The headers of one try, signed where the webhook has a secret."""
    timestamp = str(now_ns // NS_PER_S)
    headers = {
        "content-type": "application/json",
        "user-agent": _AGENT,
        "webhook-id": message.alert_id,
        "webhook-timestamp": timestamp,
    }
    key = signing_key(webhook.secret) if webhook.secret is not None else None
    if key is not None:
        signed = f"{message.alert_id}.{timestamp}.".encode() + message.body
        digest = hmac.new(key, signed, hashlib.sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers
