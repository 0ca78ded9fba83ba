"""One case of a suite: what is asked, and what is expected of the answer."""

import hashlib
from typing import Any

import msgspec

__all__ = ["Case", "case_hash"]

_encode = msgspec.json.Encoder(order="deterministic").encode


class Case(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A line of `cases.jsonl`.

    Attributes:
        id: unique in its suite; letters, digits, `-`, `_`, `.`.
        variables: of the suite's prompt.
        messages: of a chat, where there is no prompt, or beside its variables.
        expected: what evaluators look for, by the name that each documents:
            `{"contains": ["refund"], "json": {"team": "billing"}, "refuse": true}`.
        sources: texts that the answer may rest on, for groundedness, quotes and citations.
        cluster: cases that share a document, a conversation or a template are not independent of
            each other; "" for one of its own.
        tags: for slices and for coverage.
        critical: must not get worse at all.
        note: for people.
        from_inference: the production inference that it was made of.
    """

    id: str
    variables: dict[str, Any] = {}
    messages: list[dict[str, Any]] = []
    expected: dict[str, Any] = {}
    sources: list[str] = []
    cluster: str = ""
    tags: list[str] = []
    critical: bool = False
    note: str = ""
    from_inference: str = ""


def case_hash(case: Case) -> str:
    """SHA-256 over what the model is asked: an answer stays good while this does."""
    return hashlib.sha256(_encode((case.variables, case.messages))).hexdigest()
