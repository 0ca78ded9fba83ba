"""What the store answers about feedback: frozen values."""

import msgspec

__all__ = ["FeedbackFacts", "GivenFeedback"]


class GivenFeedback(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one user says of an inference by one metric: the last word.

    Attributes:
        given_ns: UTC nanoseconds.
        value: of a boolean metric, or a number.
        bad: whether it speaks against the version; None for numbers.
        user: "" where nobody is named.
        comment: "" for none, or where it was not kept.
    """

    metric: str
    given_ns: int
    value: bool | float
    bad: bool | None
    user: str
    comment: str


class FeedbackFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was said by one metric of one version at one model, served for one reason.

    Attributes:
        since_ns, until_ns: UTC nanoseconds; it was given between them.
        prompt, version, hash, arm: of the inferences; "" where they were of no prompt.
        model: `provider:model` that answered.
        boolean: the metric was declared so.
        count: how many said something; each of an inference, metric and user once.
        bad: those of them that speak against the version; 0 for numbers.
        total, squares: the sum of the values (a true one is 1), and of their squares.
    """

    since_ns: int
    until_ns: int
    prompt: str
    version: str
    hash: str
    arm: str
    model: str
    metric: str
    boolean: bool
    count: int
    bad: int
    total: float
    squares: float
