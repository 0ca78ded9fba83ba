"""The ledger entry of feedback: what a user says of an inference."""

from typing import Final

import msgspec

from trimtab.types.records import PromptUse

__all__ = ["THUMBS", "Feedback"]

THUMBS: Final = "thumbs"
"""The metric that every project has: it guards canaries and is watched for drift."""


class Feedback(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Written before whoever gives it is told. Of one inference, metric and user the last counts.

    Attributes:
        inference_id: what it is about.
        started_ns: UTC nanoseconds at which the inference began.
        given_ns: UTC nanoseconds.
        metric: as declared in `feedback.toml`.
        value: of a boolean metric, or a number.
        bad: whether it speaks against the version, by the direction declared when it was given;
            None for numbers.
        user: who gave it; "" where nobody is named.
        key_id: under which key; "" for a token.
        prompt: what the inference was rendered from; None for the caller's own.
        model: `provider:model` that answered.
        served_model: the model that the provider says it used.
    """

    inference_id: str
    started_ns: int
    given_ns: int
    metric: str
    value: bool | float
    bad: bool | None = None
    user: str = ""
    key_id: str = ""
    prompt: PromptUse | None = None
    model: str = ""
    served_model: str = ""
