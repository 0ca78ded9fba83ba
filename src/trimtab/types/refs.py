"""References to models."""

from typing import NamedTuple

from typing_extensions import override

from trimtab.errors import UsageError

__all__ = ["ModelRef"]


class ModelRef(NamedTuple):
    """A model at a provider, written `provider:model`."""

    provider: str
    model: str

    @override
    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"

    @classmethod
    def parse(cls, text: str) -> "ModelRef":
        """Parse `provider:model`; the model's own name may contain colons.

        Raises:
            UsageError: there is no colon, or nothing on one side of it.
        """
        provider, colon, model = text.partition(":")
        if not colon or not provider or not model:
            raise UsageError(f"{text!r} is not a model reference. Write provider:model.")
        return cls(provider, model)
