"""What a request with feedback says, and whether it fits what is declared. Pure."""

from collections.abc import Mapping
from typing import Final

import msgspec

from trimtab.config.feedback import Metric
from trimtab.errors import MalformedRequest, RequestTooLarge, UnknownMetric

__all__ = ["Said", "check_said", "parse_said"]

MOST_AT_ONCE: Final = 100
_MOST_BYTES: Final = 256_000
_MOST_COMMENT: Final = 2_000
_MOST_NAME: Final = 256
_MOST_SHOWN: Final = 60


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that a user says of an inference.

    Attributes:
        inference_id: what it is about; with a key.
        token: instead; needs no key.
        metric: one that is declared.
        value: true, false or a number, as the metric has it.
        comment: text, kept where the project keeps bodies.
        user: who says it.
    """

    metric: str
    value: bool | float
    inference_id: str = ""
    token: str = ""
    comment: str = ""
    user: str = ""


_decode: Final = msgspec.json.Decoder(Said | list[Said]).decode


def parse_said(body: bytes) -> tuple[list[Said], bool]:
    """What a body says, and whether it is a list.

    Raises:
        MalformedRequest: it is not JSON of this form; no value of it is repeated.
        RequestTooLarge: it is too long.
    """
    if len(body) > _MOST_BYTES:
        raise RequestTooLarge(
            f"Feedback is longer than {_MOST_BYTES:,} bytes. Send a shorter list of it."
        )
    try:
        found: Said | list[Said] = _decode(body)
    except msgspec.ValidationError as error:
        raise MalformedRequest(
            f"This is no feedback: {error}. Send an object, or a list of objects, with "
            "`inference_id` (or `token`), `metric` and `value`; `comment` and `user` may be added."
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedRequest("The request body is not valid JSON.") from None
    if isinstance(found, Said):
        return [found], False
    if not 1 <= len(found) <= MOST_AT_ONCE:
        raise MalformedRequest(
            f"The list has {len(found)} entries. Send 1 to {MOST_AT_ONCE} at a time."
        )
    return found, True


def check_said(said: Said, metrics: Mapping[str, Metric]) -> Metric:
    """The metric that something is said by, once all of it fits.

    Raises:
        UnknownMetric: it is not declared.
        MalformedRequest: something else is wrong.
    """
    metric = metrics.get(said.metric)
    if metric is None:
        raise UnknownMetric(
            f"The project declares no metric {said.metric[:_MOST_SHOWN]!r}. It declares "
            f"{', '.join(sorted(metrics))}. Declare others in feedback.toml.",
            param="metric",
        )
    if bool(said.inference_id) == bool(said.token):
        raise MalformedRequest(
            "Send `inference_id` (the header x-request-id of the answer) with a key, or `token` "
            "(its header x-trimtab-feedback) without one.",
            param="inference_id",
        )
    _check_value(said, metric)
    _check_texts(said)
    return metric


def _check_value(said: Said, metric: Metric) -> None:
    if metric.type == "boolean":
        if not isinstance(said.value, bool):
            raise MalformedRequest(
                f"`value` of the metric {said.metric} must be true or false.", param="value"
            )
        return
    low, high = metric.low, metric.high
    assert low is not None
    assert high is not None
    if isinstance(said.value, bool) or not low <= said.value <= high:
        raise MalformedRequest(
            f"`value` of the metric {said.metric} must be a number from {low:g} to {high:g}.",
            param="value",
        )


def _check_texts(said: Said) -> None:
    if len(said.comment) > _MOST_COMMENT:
        raise MalformedRequest(
            f"`comment` has {len(said.comment):,} characters; at most {_MOST_COMMENT:,} are taken.",
            param="comment",
        )
    if len(said.user) > _MOST_NAME:
        raise MalformedRequest(f"`user` is longer than {_MOST_NAME} characters.", param="user")
    if said.user and said.token:
        raise MalformedRequest(
            "A token speaks for the user of its inference; leave `user` out.", param="user"
        )
