"""The evaluators of a suite: found through the entry points, with their options, and complete."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final, get_args

import msgspec

from trimtab.datasets.case import Case
from trimtab.datasets.load import gate_findings
from trimtab.datasets.metrics import MetricFacts
from trimtab.datasets.suite import HEADLINE_METRICS, EvaluatorUse, Suite
from trimtab.errors import ConfigError, Finding, UsageError
from trimtab.evals.evaluator import Evaluator, EvaluatorKind, Particular
from trimtab.evals.expectations import case_findings, unread_notes
from trimtab.plugins import EVALUATORS, load_plugin, plugin_names
from trimtab.types.experiments import MetricKind

__all__ = ["SuiteEvaluator", "SuiteEvaluators", "load_evaluators"]

_encode = msgspec.json.Encoder(order="deterministic").encode

_REMEDY: Final = "See docs/evaluators.md"
_SHARES: Final = frozenset(("rate", "score"))


class SuiteEvaluator(msgspec.Struct, frozen=True, kw_only=True):
    """One evaluator of a suite.

    Attributes:
        name: as the suite calls it.
        use: name of its kind.
        metric, kind, higher_is_better: what its marks are.
        asks: it may ask a model.
        hash: SHA-256 over its name, kind, version, metric, options, and what else decides what it
            says, such as the bytes of `evaluators.py`.
        evaluator: says it.
        automatic: the suite does not name it.
    """

    name: str
    use: str
    metric: str
    kind: MetricKind
    higher_is_better: bool
    asks: bool
    hash: str
    evaluator: Evaluator
    automatic: bool = False

    def hash_for(self, case: Case) -> str:
        """Of a mark: the same, with what the case expects and what it gives to rest on."""
        return _hash(self.hash, case.expected, case.sources)


class SuiteEvaluators(msgspec.Struct, frozen=True, kw_only=True):
    """All evaluators of a suite.

    Attributes:
        evaluators: in the order of the file, then those that were added.
        not_measured: headline metrics that nothing measures, each with what the suite lacks.
        notes: what a reader must know, such as expectations that nobody looks at.
    """

    evaluators: list[SuiteEvaluator]
    not_measured: dict[str, str]
    notes: list[str]


def load_evaluators(suite: Suite, *, schema_declared: bool) -> SuiteEvaluators:
    """The evaluators that a suite names, and those of the metrics that are always reported.

    Where no evaluator of the suite measures them: format is measured by `json_schema` if the prompt
    declares an output schema, refusal by `refusal`, hallucination by `groundedness` if a case has
    sources, latency and cost by the evaluators of their names.

    Args:
        suite: as its files say.
        schema_declared: the prompt declares an output schema.

    Raises:
        ConfigError: an evaluator is not there, an option is wrong, two of one metric do not go
            together, a case expects what its evaluator cannot read. Carries every finding, with
            file and line.
    """
    loader = _Loader(suite, schema_declared=schema_declared)
    return loader.load()


class _Loader:
    def __init__(self, suite: Suite, *, schema_declared: bool) -> None:
        self._suite = suite
        self._schema_declared = schema_declared
        self._kinds: dict[str, EvaluatorKind] = {}
        self._members: list[SuiteEvaluator] = []
        self._findings: list[Finding] = []

    def load(self) -> SuiteEvaluators:
        """All of them."""
        for use in self._suite.evaluators:
            try:
                self._members.append(self._member(use))
            except UsageError as error:
                self._report(use.line, str(error))
        self._findings += self._mixed()
        not_measured = {} if self._findings else self._add_missing()
        if not self._findings:
            self._findings += gate_findings(self._suite, self._facts())
        self._findings += case_findings(self._suite, self._kinds.values())
        if self._findings:
            raise ConfigError(self._findings)
        notes = unread_notes(self._suite, self._kinds.values())
        return SuiteEvaluators(evaluators=self._members, not_measured=not_measured, notes=notes)

    def _member(self, use: EvaluatorUse, *, automatic: bool = False) -> SuiteEvaluator:
        kind = self._kind(use.use)
        evaluator = kind.build(use.options, self._suite.folder)
        own = evaluator if isinstance(evaluator, Particular) else None
        metric = use.metric or (kind if own is None else own).metric
        fingerprint = "" if own is None else own.fingerprint
        return SuiteEvaluator(
            name=use.name,
            use=use.use,
            metric=metric,
            kind=(kind if own is None else own).kind,
            higher_is_better=(kind if own is None else own).higher_is_better,
            asks=kind.asks,
            hash=_hash(use.name, use.use, kind.version, metric, use.options, fingerprint),
            evaluator=evaluator,
            automatic=automatic,
        )

    def _kind(self, name: str) -> EvaluatorKind:
        if name not in self._kinds:
            try:
                self._kinds[name] = load_plugin(EVALUATORS, name, _is_kind)
            except ImportError as error:
                raise UsageError(
                    f"evaluator {name[:80]!r} cannot be loaded, because {error.name} cannot. "
                    'Install what it needs, as with pip install "trimtab[evals]".'
                ) from None
        return self._kinds[name]

    def _add_missing(self) -> dict[str, str]:
        """Add what measures the metrics that are always reported; say why not otherwise."""
        lacking: dict[str, str] = {}
        for metric, use in _AUTOMATIC.items():
            if any(member.metric == metric for member in self._members):
                continue
            lack = self._lack(metric) or self._added(metric, use)
            if lack and metric in HEADLINE_METRICS:
                lacking[metric] = lack
        return lacking

    def _lack(self, metric: str) -> str:
        """What must be there to measure a metric; "" where it is."""
        if metric == "accuracy":
            return _no_accuracy(self._suite.cases)
        if metric == "format" and not self._schema_declared:
            return (
                "the prompt declares no output schema: declare output.schema in its front matter, "
                'or add an evaluator with metric = "format"'
            )
        if metric == "hallucination" and not any(case.sources for case in self._suite.cases):
            return (
                "no case has sources: give `sources` to cases whose answers must rest on them, or "
                'add an evaluator with metric = "hallucination"'
            )
        return ""

    def _added(self, metric: str, use: str) -> str:
        """Add it; says why it cannot be."""
        if use not in plugin_names(EVALUATORS):
            return f"no evaluator {use!r} is installed"
        taken = {member.name for member in self._members}
        name = use if use not in taken else f"automatic-{use}"
        try:
            member = self._member(EvaluatorUse(use=use, name=name, metric=metric), automatic=True)
        except UsageError as error:
            return f"evaluator {use!r} must be set up in suite.toml: {error}"
        self._members.append(member)
        return ""

    def _facts(self) -> dict[str, MetricFacts]:
        """What each evaluator measures."""
        return {one.name: MetricFacts(one.metric, one.kind) for one in self._members}

    def _mixed(self) -> Iterator[Finding]:
        """Evaluators of one metric whose values do not go together."""
        first: dict[str, SuiteEvaluator] = {}
        lines = {use.name: use.line for use in self._suite.evaluators}
        for member in self._members:
            other = first.setdefault(member.metric, member)
            if not _goes_with(member, other):
                yield Finding(
                    self._place(lines[member.name]),
                    f"{member.name!r} and {other.name!r} both measure {member.metric!r}, but their "
                    f"values do not go together ({_worded(member)}, and {_worded(other)})",
                    'Give one of them another name with metric = "..."',
                )

    def _report(self, line: int, message: str) -> None:
        problem, _, remedy = message.partition(". ")
        self._findings.append(
            Finding(self._place(line), problem.rstrip("."), remedy.rstrip(".") or _REMEDY)
        )

    def _place(self, line: int) -> str:
        return f"evals/{self._suite.name}/suite.toml:{line}"


_AUTOMATIC: Final = {
    "accuracy": "",
    "format": "json_schema",
    "refusal": "refusal",
    "hallucination": "groundedness",
    "latency": "latency",
    "cost": "cost",
}
"""Metrics that are always reported, and the evaluator that measures them where none is named."""

_FOR_ACCURACY: Final = {
    "answer": "exact",
    "json": "json_equal",
    "tool_calls": "tool_calls",
    "contains": "contains",
    "contains_any": "contains",
    "regex": "regex",
    "number": "numeric_range",
    "range": "numeric_range",
}


def _no_accuracy(cases: Sequence[Case]) -> str:
    """Nothing tells what a right answer is but the suite; but its cases may tell how to."""
    expected = {key for case in cases for key in case.expected}
    fitting = [(key, use) for key, use in _FOR_ACCURACY.items() if key in expected]
    if not fitting:
        return 'no evaluator measures it: add one, such as use = "exact" with expected.answer'
    key, use = fitting[0]
    return f'no evaluator measures it: cases expect `{key}`, so add one with use = "{use}"'


def _goes_with(one: SuiteEvaluator, other: SuiteEvaluator) -> bool:
    same_kind = one.kind == other.kind or {one.kind, other.kind} <= _SHARES
    return same_kind and one.higher_is_better == other.higher_is_better


def _worded(member: SuiteEvaluator) -> str:
    return f"{member.kind}, {'higher' if member.higher_is_better else 'lower'} is better"


def _is_kind(plugin: Any) -> bool:  # noqa: ANN401 - anything may be registered
    return (
        all(isinstance(getattr(plugin, name, None), str) for name in ("name", "metric", "summary"))
        and isinstance(getattr(plugin, "version", None), int)
        and getattr(plugin, "kind", None) in get_args(MetricKind)
        and all(isinstance(getattr(plugin, name, None), bool) for name in _FLAGS)
        and callable(getattr(plugin, "build", None))
    )


_FLAGS: Final = ("higher_is_better", "asks")


def _hash(*parts: object) -> str:
    return hashlib.sha256(_encode(parts)).hexdigest()
