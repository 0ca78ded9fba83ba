"""Assertions of promptfoo as expectations of cases, and the evaluators that read them. Pure.

Source: promptfoo.dev/docs/configuration/expected-outputs (assertion types and their values).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, cast

import msgspec

from trimtab.datasets.formats.border import Remarks
from trimtab.datasets.suite import EvaluatorUse
from trimtab.prompts.schema import SchemaProblem, parse_schema

__all__ = ["ASSERTIONS", "TELLING_CASE", "Assertion", "Checks"]

TELLING_CASE: Final = frozenset(("contains", "contains-all", "contains-any"))
"""Types that tell `A` from `a` in texts that an answer has."""

_ELSEWHERE: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("javascript", "python", "ruby", "webhook"),
        "Write it as a function in evaluators.py; nothing of a foreign file is run",
    ),
    **dict.fromkeys(
        (
            "answer-relevance", "context-faithfulness", "context-recall", "context-relevance",
            "g-eval", "llm-rubric", "model-graded-closedqa", "pi", "search-rubric", "select-best",
        ),
        "Write its rubric as a judge, and calibrate it before it gates",
    ),
    "cost": "Cost is always measured; say in [gate.margins] how much it may grow",
    "latency": "Latency is always measured; say in [gate.margins] how much it may grow",
}  # fmt: skip
_OTHERS: Final = (
    "assert-set", "bleu", "classifier", "contains-html", "contains-json", "contains-sql",
    "contains-xml", "conversation-relevance", "f-score", "finish-reason", "gleu", "guardrails",
    "human", "is-html", "is-sql", "is-valid-function-call", "is-valid-openai-function-call",
    "is-valid-openai-tools-call", "is-xml", "levenshtein", "max-score", "meteor", "moderation",
    "perplexity", "perplexity-score", "rouge-n", "similar", "tool-call-f1",
    "trace-error-spans", "trace-span-count", "trace-span-duration", "word-count",
)  # fmt: skip
_TO_THE_LETTER: Final = {"case_sensitive": True, "normalize": False}
_BY_HAND: Final = "Choose an evaluator that does the same, or write one in evaluators.py"
_GROUP: Final = re.compile(r"\(\?<(?=[A-Za-z_])")  # JavaScript's named groups
_MOST_SHOWN: Final = 40


class Assertion(NamedTuple):
    """One assertion about one case.

    Attributes:
        kind: its type without `not-`.
        negated: it had that.
        value: with the variables put in; None where it has none.
        place: where it stands.
    """

    kind: str
    negated: bool
    value: Any
    place: str

    @property
    def name(self) -> str:
        """Its type as it was written, for remarks."""
        return f"{'not-' if self.negated else ''}{self.kind[:_MOST_SHOWN]}"


class Checks:
    """What all cases expect.

    Args:
        remarks: takes what has no counterpart.
        tells_case: some assertion tells `A` from `a`. There is one evaluator for texts, so those
            that do not tell them apart become patterns then.
    """

    def __init__(self, remarks: Remarks, *, tells_case: bool) -> None:
        self._remarks = remarks
        self._tells_case = tells_case
        self._keys: set[str] = set()
        self._refuse: set[bool] = set()
        self._cases = 0
        self._schemas: dict[bytes, tuple[int, Any, str]] = {}

    def expected(self, assertions: list[Assertion]) -> dict[str, Any]:
        """What one case expects."""
        self._cases += 1
        expected: dict[str, Any] = {}
        schemas: set[bytes] = set()
        for one in assertions:
            if one.kind == "is-json" and not one.negated:
                schemas.add(self._note_schema(one, schemas))
                continue
            handler = _HANDLERS.get(one.kind)
            problem = handler(self, one, expected) if handler is not None else ""
            if handler is None:
                remedy = _ELSEWHERE.get(one.kind, _BY_HAND)
                self._remarks.add(one.place, f"{one.name} was left out", remedy)
            elif problem:
                self._remarks.add(one.place, f"{one.name} was left out: {problem}", _BY_HAND)
        self._keys.update(expected)
        self._refuse.update({expected["refuse"]} if "refuse" in expected else ())
        return expected

    def evaluators(self) -> list[EvaluatorUse]:
        """Those that read what the cases expect."""
        found: list[EvaluatorUse] = []
        if self._keys & {"contains", "contains_any", "contains_none"}:
            found.append(_use("contains", _TO_THE_LETTER if self._tells_case else {}))
        if self._keys & {"regex", "regex_none"}:
            found.append(_use("regex", {}))
        if "answer" in self._keys:
            found.append(_use("exact", _TO_THE_LETTER))
        if "json" in self._keys:
            found.append(_use("json_equal", {}))
        if self._refuse:  # one evaluator for each: what may and what must be refused
            found += [_REFUSAL[wanted] for wanted in sorted(self._refuse)]
        found += self._schema_uses()
        return found

    # ------------------------------------------------------------ JSON

    def _note_schema(self, one: Assertion, of_case: set[bytes]) -> bytes:
        """Count a schema once for its case; which is checked is told when all are known."""
        key = msgspec.json.encode(one.value, order="deterministic")
        count, _, place = self._schemas.get(key, (0, None, one.place))
        self._schemas[key] = (count + (key not in of_case), one.value, place)
        return key

    def _schema_uses(self) -> list[EvaluatorUse]:
        """Schemas that all cases have: an evaluator of form looks at every answer."""
        found: list[EvaluatorUse] = []
        for count, value, place in self._schemas.values():
            schema = _ANY_JSON if value is None else value
            problem = _problem_of_schema(schema)
            if count < self._cases:
                problem = "only some cases have it, and ours looks at every answer"
            if problem:
                self._remarks.add(place, f"is-json was left out: {problem}", _BY_HAND)
                continue
            name = f"json_schema-{len(found) + 1}" if found else "json_schema"
            options = {"schema": schema}
            found.append(EvaluatorUse(use="json_schema", name=name, options=options))
        return found

    # ------------------------------------------------------------ one kind each

    def contains(self, one: Assertion, expected: dict[str, Any]) -> str:
        """`contains`, `contains-all`, `contains-any`, and those with `i`."""
        texts = _texts(one.value, several=one.kind.endswith(("-all", "-any")))
        if not texts:
            return "it has no text"
        any_of = one.kind.endswith("-any")
        if one.negated and one.kind.endswith("-all"):
            return "one of its texts may be there"
        if self._tells_case and one.kind.startswith("i"):
            patterns = [f"(?i:{re.escape(text)})" for text in texts]
            _add_patterns(expected, patterns, negated=one.negated, any_of=any_of)
        elif any_of and not one.negated and "contains_any" in expected:
            patterns = [_cased(re.escape(text), self._tells_case) for text in texts]
            _add_patterns(expected, patterns, negated=False, any_of=True)
        else:
            key = "contains_none" if one.negated else "contains_any" if any_of else "contains"
            expected.setdefault(key, []).extend(texts)
        return ""

    def equals(self, one: Assertion, expected: dict[str, Any]) -> str:
        """A text that the answer is, or a value that it is as JSON."""
        if one.value is None:
            return "it has no value"
        if isinstance(one.value, str):
            if one.negated:
                _add_patterns(expected, [rf"\A{re.escape(one.value)}\Z"], negated=True)
                return ""
        elif one.negated:
            return "its value is no text"
        key = "answer" if isinstance(one.value, str) else "json"
        if key in expected:
            return "the case has another one"
        expected[key] = one.value
        return ""

    def starts_with(self, one: Assertion, expected: dict[str, Any]) -> str:
        """A text that the answer begins with."""
        if not isinstance(one.value, str) or not one.value:
            return "it has no text"
        _add_patterns(expected, [rf"\A{re.escape(one.value)}"], negated=one.negated)
        return ""

    def regex(self, one: Assertion, expected: dict[str, Any]) -> str:
        """A pattern of JavaScript that Python reads too."""
        if not isinstance(one.value, str) or not one.value:
            return "it has no pattern"
        pattern = _GROUP.sub("(?P<", one.value)
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError):
            return "Python cannot read its pattern"
        _add_patterns(expected, [pattern], negated=one.negated)
        return ""

    def reference(self, one: Assertion, expected: dict[str, Any]) -> str:
        """A good answer, for a judge to compare with."""
        if one.negated or not isinstance(one.value, str) or "reference" in expected:
            return "a case has one reference, which is text"
        expected["reference"] = one.value
        remedy = "Add a judge with a rubric, and calibrate it before it gates"
        self._remarks.add(one.place, f"{one.name} became expected.reference", remedy)
        return ""

    def refusal(self, one: Assertion, expected: dict[str, Any]) -> str:
        """Whether the answer must be a refusal."""
        if expected.setdefault("refuse", not one.negated) is one.negated:
            return "the case asks for the opposite too"
        return ""


_REFUSAL: Final = {
    False: EvaluatorUse(use="refusal", name="refusal"),
    True: EvaluatorUse(use="refusal", name="refusal_wanted", options={"wanted": True}),
}

Handler = Callable[[Checks, Assertion, dict[str, Any]], str]

_HANDLERS: Final[Mapping[str, Handler]] = {
    **dict.fromkeys(
        (*TELLING_CASE, "icontains", "icontains-all", "icontains-any"), Checks.contains
    ),
    **dict.fromkeys(("factuality", "model-graded-factuality"), Checks.reference),
    "equals": Checks.equals,
    "is-refusal": Checks.refusal,
    "regex": Checks.regex,
    "starts-with": Checks.starts_with,
}  # fmt: skip

ASSERTIONS: Final = frozenset((*_HANDLERS, *_ELSEWHERE, *_OTHERS, "is-json"))
"""All types that promptfoo has, without `not-`."""

_ANY_JSON: Final = {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def _use(name: str, options: Mapping[str, Any]) -> EvaluatorUse:
    return EvaluatorUse(use=name, name=name, options=dict(options))


def _add_patterns(
    expected: dict[str, Any], patterns: list[str], *, negated: bool, any_of: bool = False
) -> None:
    """Patterns that must all match; with `any_of` one of them; with `negated` none."""
    if any_of and not negated:
        patterns = [f"(?:{'|'.join(patterns)})"]
    expected.setdefault("regex_none" if negated else "regex", []).extend(patterns)


def _cased(pattern: str, tells_case: bool) -> str:  # noqa: FBT001 - a property of the suite
    return pattern if tells_case else f"(?i:{pattern})"


def _texts(value: object, *, several: bool) -> list[str]:
    """The texts of a value; several may be a list, or one text with commas."""
    if several and isinstance(value, list):
        items = cast("list[object]", value)
    elif several and isinstance(value, str):
        items = [part.strip() for part in value.split(",")]
    else:
        items = [value]
    texts = [
        item if isinstance(item, str) else msgspec.json.encode(item).decode()
        for item in items
        if item is not None and not isinstance(item, dict | list)
    ]
    return [text for text in texts if text]


def _problem_of_schema(schema: object) -> str:
    if not isinstance(schema, dict):
        return "its value is no schema"
    if b"null" in msgspec.json.encode(schema).replace(b'"null"', b""):
        return "its schema has a null, which suite.toml cannot say"
    try:
        parse_schema({**_ANY_JSON, **cast("dict[str, Any]", schema)})
    except SchemaProblem as error:
        return f"its schema cannot be checked ({'.'.join(error.path)[:_MOST_SHOWN]})"
    return ""
