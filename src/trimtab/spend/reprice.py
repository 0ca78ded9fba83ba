"""History at the prices of today: what each call would be charged if it had been priced by them.

What was charged is not touched. The price of a call is that of its own moment: a correction is an
entry of the price book for the day on which it should have held.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from trimtab.config.schema import Project, Rung
from trimtab.errors import UnpricedModel
from trimtab.spend.pricebook import PriceBook
from trimtab.store.repricing import RepricedRow, Repricing, SettledCall
from trimtab.types.clock import NS_PER_S
from trimtab.types.records import Intent, Settle
from trimtab.types.refs import ModelRef

__all__ = ["ModelCorrection", "RepriceReport", "report_of", "reprice", "start_of_day_ns"]

_DAY_NS = 86_400 * NS_PER_S
_DIGEST_CHARS = 12


class ModelCorrection(msgspec.Struct, frozen=True, kw_only=True):
    """What a correction comes to for one model.

    Attributes:
        model: `provider:model`.
        calls: those that have a price now.
        charged_nanousd, corrected_nanousd: of these calls.
        difference_nanousd: what was charged too little; negative for too much.
        unpriced_calls, unpriced_nanousd: calls without a price now, and what they were charged.
        tier_unknown_nanousd: charged amount whose service tier is not on record though the price
            depends on it; it is corrected as the standard tier.
    """

    model: str
    calls: int
    charged_nanousd: int
    corrected_nanousd: int
    difference_nanousd: int
    unpriced_calls: int
    unpriced_nanousd: int
    tier_unknown_nanousd: int


class RepriceReport(msgspec.Struct, frozen=True, kw_only=True):
    """A set of corrections, by model, the largest difference first.

    Attributes:
        set_id: names the set in the data folder.
        created_ns: when it was made; earlier than now if the same set was there already.
        since_ns, until_ns: inferences that began in between, the end excluded.
    """

    set_id: str
    created_ns: int
    since_ns: int
    until_ns: int
    charged_nanousd: int
    corrected_nanousd: int
    difference_nanousd: int
    unpriced_nanousd: int
    tier_unknown_nanousd: int
    models: list[ModelCorrection]


class _Key(NamedTuple):
    day: int
    model: str
    charged_version: str
    corrected_version: str


class _Sums:
    """What the calls of one row come to."""

    def __init__(self) -> None:
        self.calls = 0
        self.charged_nanousd = 0
        self.corrected_nanousd = 0
        self.tier_unknown_nanousd = 0


class _Rungs:
    """Finds the model of the project that an attempt was made with."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._found: dict[tuple[str, str, str], Rung | None] = {}

    def of(self, intent: Intent) -> Rung | None:
        """That of the name which the caller used, if it still leads there; else any of this ref."""
        key = (intent.alias, intent.provider, intent.model)
        if key not in self._found:
            self._found[key] = self._find(intent.alias, ModelRef(intent.provider, intent.model))
        return self._found[key]

    def _find(self, name: str, ref: ModelRef) -> Rung | None:
        targets = self._project.targets
        asked = [targets[name]] if name in targets else []
        rungs = (rung for target in (*asked, *targets.values()) for rung in target.rungs)
        return next((rung for rung in rungs if rung.ref == ref), None)


def start_of_day_ns(at_ns: int) -> int:
    """The start of the UTC day of a moment, in nanoseconds."""
    return at_ns - at_ns % _DAY_NS


def reprice(
    project: Project,
    settled: Iterable[SettledCall],
    *,
    since_ns: int,
    until_ns: int,
    now_ns: int,
) -> Repricing:
    """The corrections of settled calls, by the price book of `project`.

    Args:
        project: whose prices correct.
        settled: calls of inferences that began between `since_ns` and `until_ns`.
        since_ns: the start of a UTC day, so that a set of the same day is the same set.
        until_ns: the end, excluded.
        now_ns: UTC nanoseconds; goes into the set as its date.
    """
    book, rungs = PriceBook(project), _Rungs(project)
    sums: defaultdict[_Key, _Sums] = defaultdict(_Sums)
    for intent, settle in settled:
        if settle.usage_source == "none":
            continue  # nothing was used, or the response cache answered
        _add(sums, intent, settle, book=book, rung=rungs.of(intent))
    rows = tuple(_row(key, sums[key]) for key in sorted(sums))
    content = msgspec.json.encode((since_ns, rows))
    return Repricing(
        set_id=hashlib.sha256(content).hexdigest()[:_DIGEST_CHARS],
        created_ns=now_ns,
        since_ns=since_ns,
        until_ns=until_ns,
        rows=rows,
    )


def _add(
    sums: defaultdict[_Key, _Sums],
    intent: Intent,
    settle: Settle,
    *,
    book: PriceBook,
    rung: Rung | None,
) -> None:
    tier, at_ns = settle.service_tier, intent.started_ns
    version, corrected, depends = "", 0, False
    if rung is not None:
        try:
            card = book.card(rung, at_ns, tier)
        except UnpricedModel:
            pass
        else:
            version, corrected = card.version, card.cost_nanousd(settle.usage)
            depends = not tier and book.depends_on_tier(rung, at_ns)
    key = _Key(
        day=at_ns // _DAY_NS,
        model=f"{intent.provider}:{intent.model}",
        charged_version=settle.price_version,
        corrected_version=version,
    )
    row = sums[key]
    row.calls += 1
    row.charged_nanousd += settle.cost_nanousd
    row.corrected_nanousd += corrected
    row.tier_unknown_nanousd += settle.cost_nanousd if depends else 0


def _row(key: _Key, sums: _Sums) -> RepricedRow:
    day = datetime.fromtimestamp(key.day * _DAY_NS // NS_PER_S, UTC).date().isoformat()
    return RepricedRow(
        day=day,
        model=key.model,
        charged_version=key.charged_version,
        corrected_version=key.corrected_version,
        calls=sums.calls,
        charged_nanousd=sums.charged_nanousd,
        corrected_nanousd=sums.corrected_nanousd if key.corrected_version else None,
        tier_unknown_nanousd=sums.tier_unknown_nanousd,
    )


def report_of(repricing: Repricing) -> RepriceReport:
    """A set of corrections, added up by model."""
    by_model: defaultdict[str, list[RepricedRow]] = defaultdict(list)
    for row in repricing.rows:
        by_model[row.model].append(row)
    models = [_correction(model, rows) for model, rows in by_model.items()]
    models.sort(key=lambda model: (-abs(model.difference_nanousd), model.model))
    charged = sum(model.charged_nanousd for model in models)
    corrected = sum(model.corrected_nanousd for model in models)
    return RepriceReport(
        set_id=repricing.set_id,
        created_ns=repricing.created_ns,
        since_ns=repricing.since_ns,
        until_ns=repricing.until_ns,
        charged_nanousd=charged,
        corrected_nanousd=corrected,
        difference_nanousd=corrected - charged,
        unpriced_nanousd=sum(model.unpriced_nanousd for model in models),
        tier_unknown_nanousd=sum(model.tier_unknown_nanousd for model in models),
        models=models,
    )


def _correction(model: str, rows: list[RepricedRow]) -> ModelCorrection:
    unpriced = [row for row in rows if row.corrected_nanousd is None]
    priced = [row for row in rows if row.corrected_nanousd is not None]
    charged = sum(row.charged_nanousd for row in priced)
    corrected = sum(row.corrected_nanousd or 0 for row in priced)
    return ModelCorrection(
        model=model,
        calls=sum(row.calls for row in priced),
        charged_nanousd=charged,
        corrected_nanousd=corrected,
        difference_nanousd=corrected - charged,
        unpriced_calls=sum(row.calls for row in unpriced),
        unpriced_nanousd=sum(row.charged_nanousd for row in unpriced),
        tier_unknown_nanousd=sum(row.tier_unknown_nanousd for row in rows),
    )
