"""Options that evaluators with a judge share."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

__all__ = ["JudgeOptions"]


class JudgeOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a suite says of a judge."""

    model: Annotated[
        str, Meta(min_length=1, description="alias, route or pin of the model that judges")
    ]
    rubric: Annotated[str, Meta(description="what a good answer is, in your own words")] = ""
    criteria: Annotated[
        list[Annotated[str, Meta(min_length=1)]], Meta(description="a rubric as a list")
    ] = []
    temperature: Annotated[float, Meta(ge=0, le=2)] | Literal["default"] = 0.0
    max_tokens: Annotated[
        int, Meta(ge=50, le=100_000, description="that a verdict with its reasoning may take")
    ] = 1024

    def __post_init__(self) -> None:
        if bool(self.rubric.strip()) == bool(self.criteria):
            raise ValueError("give either `rubric`, a text, or `criteria`, a list of texts")

    def rubric_text(self) -> str:
        """The rubric as the judge reads it."""
        if self.rubric.strip():
            return self.rubric.strip()
        return "\n".join(f"{number}. {text}" for number, text in enumerate(self.criteria, 1))

    def config(self) -> dict[str, float | int]:
        """Of a call to the judge; a model that refuses any temperature gets none."""
        asked: dict[str, float | int] = {"max_tokens": self.max_tokens}
        if self.temperature != "default":
            asked["temperature"] = self.temperature
        return asked
