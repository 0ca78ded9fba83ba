"""Which of several equal rungs begins: the same one for the same session.

A provider keeps the beginning of recent prompts ready; a session that stays at one provider finds
its own there, which is cheaper and faster.

Source: Thaler, Ravishankar: "Using name-based mappings to increase hit rates", IEEE/ACM
Transactions on Networking 6(1), 1998 (rendezvous hashing).
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Final

from trimtab.config.schema import Rung

__all__ = ["affinity_of", "order"]

_MOST_AFFINITY_BYTES: Final = 2_048
_WEIGHT_BYTES: Final = 8


def affinity_of(session: str, messages: bytes) -> bytes:
    """What an inference shares with others that should go where it goes.

    Args:
        session: its session, or "".
        messages: its messages as raw JSON; their beginning counts where there is no session, so
            that all who share a system prompt stay together.
    """
    if session:
        return session.encode("utf-8", "surrogatepass")
    return memoryview(messages)[:_MOST_AFFINITY_BYTES].tobytes()


def order(rungs: tuple[Rung, ...], equals: int, affinity: bytes) -> tuple[int, ...]:
    """The positions of `rungs` in the order to try them.

    The same in every process. Where one of the equal rungs is taken out, only those who began
    there begin elsewhere, spread over all that are left.

    Args:
        rungs: all rungs of a target.
        equals: how many, from the first, may change places; the others follow as they stand.
        affinity: from `affinity_of`.
    """
    as_written = _as_written(len(rungs))
    if equals == 1:
        return as_written
    # A checksum would not do: those of two rungs would differ by the same bits for everybody.
    shared = blake2b(affinity, digest_size=_WEIGHT_BYTES)
    weights: list[bytes] = []
    for rung in rungs[:equals]:
        own = shared.copy()
        own.update(_name(rung.ref))
        weights.append(own.digest())
    first = sorted(as_written[:equals], key=weights.__getitem__, reverse=True)
    return (*first, *as_written[equals:])


@lru_cache(maxsize=64)
def _as_written(count: int) -> tuple[int, ...]:
    return tuple(range(count))


@lru_cache(maxsize=1_024)
def _name(ref: object) -> bytes:
    return f"\0{ref}".encode()
