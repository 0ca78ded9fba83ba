"""A scrape: the figures of this moment as text. Nothing is counted or kept here."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from trimtab.telemetry.families import families_of
from trimtab.telemetry.snapshot import Snapshot

__all__ = ["Metrics"]

_PIECE: Final = 100
"""Samples that are written without a pause: about a millisecond."""

_OPENMETRICS: Final = "application/openmetrics-text"
_END: Final = b"# EOF\n"  # of that format

# Of fixed wishes: for what callers write the library's choice is not used. It repeats versions that
# it does not write, and fails at those that are not numbers.
_write_plain, _PLAIN_TYPE = choose_encoder("")
_write_openmetrics, _OPENMETRICS_TYPE = choose_encoder(_OPENMETRICS)


class Metrics:
    """What `GET /metrics` answers.

    Args:
        read: takes the snapshot; called on the event loop's thread, once for each scrape.
    """

    def __init__(self, read: Callable[[], Snapshot]) -> None:
        self._registry = CollectorRegistry()  # not the one that the library shares
        self._registry.register(_Figures(read))
        ProcessCollector(registry=self._registry)

    async def render(self, accept: str) -> tuple[str, bytes]:
        """Everything at this moment, in the format that is asked for.

        A large project has thousands of lines, so others get their turn in between.

        Args:
            accept: the request's header `Accept`, or "".

        Returns:
            Content type and body.
        """
        asked = _wants_openmetrics(accept)
        write = _write_openmetrics if asked else _write_plain
        pieces: list[bytes] = []
        for family in self._registry.collect():
            for piece in _pieces(family):
                await asyncio.sleep(0)
                text = write(piece).removesuffix(_END)
                pieces.append(text if piece.first else _without_head(text))
            await asyncio.sleep(0)
        if asked:
            pieces.append(_END)
        return _OPENMETRICS_TYPE if asked else _PLAIN_TYPE, b"".join(pieces)


class _Figures(Collector):
    """Our own families."""

    def __init__(self, read: Callable[[], Snapshot]) -> None:
        self._read = read

    @override
    def collect(self) -> Iterator[Metric]:
        return families_of(self._read())

    def describe(self) -> Iterable[Metric]:
        """Keeps the registry from collecting when it only wants names: it is told none."""
        return ()


class _Piece(Collector):
    """Some samples of one family.

    Attributes:
        first: they are the first ones.
    """

    def __init__(self, family: Metric, begin: int) -> None:
        self.first = begin == 0
        self._part = Metric(family.name, family.documentation, family.type, family.unit)
        self._part.samples = family.samples[begin : begin + _PIECE]

    @override
    def collect(self) -> Iterable[Metric]:
        return (self._part,)


def _pieces(family: Metric) -> Iterator[_Piece]:
    """A family in pieces; one without samples is one piece."""
    return (_Piece(family, begin) for begin in range(0, len(family.samples) or 1, _PIECE))


def _without_head(text: bytes) -> bytes:
    """The samples alone: HELP, TYPE and UNIT may come only once."""
    while text.startswith(b"#"):
        text = text.partition(b"\n")[2]
    return text


def _wants_openmetrics(accept: str) -> bool:
    """Whether that format is asked for, and not less than plain text."""
    wishes = [_wish(part) for part in accept.lower().split(",")]
    wanted = max((weight for kind, weight in wishes if kind == _OPENMETRICS), default=0.0)
    plain = max((weight for kind, weight in wishes if kind == "text/plain"), default=0.0)
    return wanted > 0 and wanted >= plain


def _wish(part: str) -> tuple[str, float]:
    """A media type of `Accept` and its weight, 1.0 where it has none that can be read."""
    kind, *parameters = [text.strip() for text in part.split(";")]
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return kind, float(parameter[2:])
            except ValueError:
                break
    return kind, 1.0
