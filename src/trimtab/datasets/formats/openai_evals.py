"""OpenAI's evals: samples of `input` and `ideal`, and the class that compares them.

Source: github.com/openai/evals, `docs/build-eval.md` and the classes of `evals/elsuite`. A file of
the registry names a class and a file of samples; samples can be imported alone too.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple, cast

import msgspec

from trimtab.datasets.case import Case
from trimtab.datasets.cases_file import problems_of_case
from trimtab.datasets.formats.border import NOWHERE, CaseIds, ImportedSuite, Origin, Remarks
from trimtab.datasets.suite import EvaluatorUse
from trimtab.errors import UsageError
from trimtab.prompts.formats.loading import list_of, load_json, load_yaml, mapping_of, refuse

__all__ = ["CLASSES", "import_registry", "import_samples"]

_MOST_SHOWN: Final = 60
_READ: Final = frozenset(("ideal", "input"))
_ANY_JSON: Final = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
_AS_PROMPT: Final = frozenset(("samples_jsonl", "max_tokens"))


def _match(ideals: list[str]) -> dict[str, Any]:
    """The answer begins with one of them."""
    return {"regex": [rf"\A\s*(?:{'|'.join(re.escape(one) for one in ideals)})"]}


def _includes(ideals: list[str]) -> dict[str, Any]:
    return {"contains_any": ideals}


def _reference(ideals: list[str]) -> dict[str, Any]:
    return {"reference": ideals[0]}


def _json_match(ideals: list[str]) -> dict[str, Any]:
    """The answer is the JSON; of several that are right, one can be said."""
    return {"json": msgspec.json.decode(ideals[0])}


def _nothing(_ideals: list[str]) -> dict[str, Any]:
    return {}


class _Class(NamedTuple):
    """How a class compares.

    Attributes:
        expect: from the answers that are right, one or more, to what a case expects.
        use: the evaluator that reads it; "" for none.
        options: of that.
        remark: what is not the same, and what to do; "" for nothing.
    """

    expect: Callable[[list[str]], dict[str, Any]]
    use: str = ""
    options: Mapping[str, Any] = {}
    remark: tuple[str, str] | None = None


_JUDGED: Final = (
    "its class asks a model",
    "Add a judge with that rubric, and calibrate it before it gates",
)
_FUZZY: Final = (
    "FuzzyMatch also takes a part of the ideal answer; here the ideal one must be in the answer",
    "Add short forms to expected.contains_any where they are right",
)
_TO_THE_LETTER: Final = {"case_sensitive": True, "normalize": False}

CLASSES: Final[Mapping[str, _Class]] = {
    "Match": _Class(_match, "regex"),
    "Includes": _Class(_includes, "contains", _TO_THE_LETTER),
    "FuzzyMatch": _Class(_includes, "contains", remark=_FUZZY),
    "JsonMatch": _Class(_json_match, "json_equal"),
    "JsonValidator": _Class(_nothing, "json_schema", {"schema": _ANY_JSON}),
    "ModelBasedClassify": _Class(_reference, remark=_JUDGED),
}
"""By the last part of a class's name."""


def import_registry(text: str, origin: Origin = NOWHERE, *, name: str = "") -> ImportedSuite:
    """An eval of a file of the registry, with the samples that `origin` gives.

    Args:
        text: of the YAML file.
        origin: where it comes from; it reads the samples by the name that `samples_jsonl` has.
        name: of the eval; may be left out where the file has one.

    Raises:
        ConfigError: the file or the samples are not in the format.
        UsageError: it has several evals and none is named, or none of that name.
    """
    value = load_yaml(text, origin.file)
    if not isinstance(value, dict):
        refuse(f"{origin.file}:1", "not one mapping", "Give a file of evals/registry/evals")
    entries = {key: mapping_of(one) for key, one in cast("dict[str, Any]", value).items()}
    evals = [key for key, entry in entries.items() if "class" in entry]
    aliases = {key: str(entry.get("id")) for key, entry in entries.items() if "id" in entry}
    chosen = aliases.get(name, name) if name else (evals[0] if len(evals) == 1 else "")
    if chosen not in evals:
        offered = ", ".join(one[:_MOST_SHOWN] for one in [*aliases, *evals][:10]) or "none"
        raise UsageError(f"Name the eval to import. {origin.file} has: {offered}.")
    entry = entries[chosen]
    options = mapping_of(entry.get("args"))
    file = options.get("samples_jsonl")
    samples = origin.read(file) if isinstance(file, str) else None
    if samples is None:
        refuse(
            origin.file,
            "its samples_jsonl cannot be read",
            "Put the samples beside the file under the name that it gives",
        )
    described = [
        one for one in entries.values() if one.get("id") == chosen and "description" in one
    ]
    description = str(described[0]["description"]) if described else ""
    of_samples = msgspec.structs.replace(origin, file=str(file)[:_MOST_SHOWN])
    return _Import(str(entry["class"]), options, of_samples).suite(samples, description)


def import_samples(text: str, origin: Origin = NOWHERE, *, eval_class: str) -> ImportedSuite:
    """A file of samples as a suite.

    Args:
        text: JSON, one sample a line, or a list of them.
        origin: where it comes from.
        eval_class: how answers are compared: a name of `CLASSES`, or the whole name of the class.

    Raises:
        ConfigError: it is not in the format; the finding has the line.
    """
    return _Import(eval_class, {}, origin).suite(text, "")


class _Import:
    def __init__(self, eval_class: str, options: Mapping[str, Any], origin: Origin) -> None:
        self._name = eval_class.rpartition(":")[2].rpartition(".")[2]
        self._class = CLASSES.get(self._name)
        self._options = options
        self._origin = origin
        self._remarks = Remarks()

    def suite(self, text: str, description: str) -> ImportedSuite:
        """All samples as cases."""
        self._remark_on_class()
        ids = CaseIds()
        cases: list[Case] = []
        for number, (sample, place) in enumerate(_lines(text, self._origin.file), 1):
            case = self._case(sample, ids.new("", number), place)
            if case is not None:
                cases.append(case)
        if not cases:
            refuse(self._origin.file, "there are no samples in it", "Give lines with an `input`")
        return ImportedSuite(
            description=description,
            prompt=self._origin.prompt,
            repeats=1,
            concurrency=8,
            evaluators=self._evaluators(),
            cases=cases,
            remarks=self._remarks.all(),
        )

    def _remark_on_class(self) -> None:
        file = self._origin.file
        if self._class is None:
            problem = f"the class {self._name[:_MOST_SHOWN]!r} has no counterpart"
            remedy = "Choose an evaluator, or write a function in evaluators.py"
            self._remarks.add(file, problem, remedy)
        elif self._class.remark is not None:
            self._remarks.add(file, *self._class.remark)
        known = _AS_PROMPT | {"ignore_case"} if self._name == "Includes" else _AS_PROMPT
        for name in sorted(self._options.keys() - known):
            remedy = "See what it did, and say it in the suite or in the messages"
            self._remarks.add(file, f"the argument {name[:_MOST_SHOWN]} was left out", remedy)
        if "max_tokens" in self._options:
            remedy = "Set it in the config of the prompt, or with --set"
            self._remarks.add(file, "max_tokens is not part of a suite", remedy)

    def _case(self, sample: Mapping[str, Any], case_id: str, place: str) -> Case | None:
        for name in sorted(sample.keys() - _READ):
            problem = f"the key {name[:_MOST_SHOWN]} was left out"
            self._remarks.add(place, problem, "Write it as variables, sources or tags of the case")
        case = Case(id=case_id, messages=_messages(sample.get("input")))
        for problem, _ in problems_of_case(case):
            remedy = "`input` is a text, or a list of messages with role and content"
            self._remarks.add(place, f"a sample was left out: {problem}", remedy)
            return None
        return msgspec.structs.replace(case, expected=self._expected(sample, place))

    def _expected(self, sample: Mapping[str, Any], place: str) -> dict[str, Any]:
        ideals = list(_ideals(sample.get("ideal")))
        if self._class is None or self._class.expect is _nothing:
            return {}
        if not ideals:
            self._remarks.add(place, "a sample has no `ideal`", "Write what its case expects")
            return {}
        if len(ideals) > 1 and self._class.expect in {_json_match, _reference}:
            problem = "of several ideals the first was taken"
            self._remarks.add(place, problem, "Choose the one that the case is to expect")
        try:
            return self._class.expect(ideals)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            self._remarks.add(place, "an `ideal` is not JSON", "Write it as expected.json")
            return {}

    def _evaluators(self) -> list[EvaluatorUse]:
        if self._class is None or not self._class.use:
            return []
        ignore_case = self._name == "Includes" and self._options.get("ignore_case") is True
        options = {} if ignore_case else dict(self._class.options)
        return [EvaluatorUse(use=self._class.use, name=self._class.use, options=options)]


def _lines(text: str, file: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The samples and their places."""
    if text.lstrip().startswith("["):
        value = load_json(text, file)
        places = [(one, f"{file} ({number})") for number, one in enumerate(list_of(value), 1)]
    else:
        places = [
            (load_json(line, f"{file}:{number}"), f"{file}:{number}")
            for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1)
            if line.strip()
        ]
    for sample, place in places:
        if not isinstance(sample, dict):
            refuse(place, "a sample is no object", 'Write {"input": ..., "ideal": ...}')
        yield cast("dict[str, Any]", sample), place


def _messages(value: object) -> list[dict[str, Any]]:
    """An input: one text of a user, or messages as chat completions have them."""
    if isinstance(value, str) and value:
        return [{"role": "user", "content": value}]
    return [mapping_of(one) for one in list_of(value)]


def _ideals(value: object) -> Iterator[str]:
    """Texts; a number or an object of a sample is what it is in JSON."""
    for one in list_of(value) or ([] if value == [] else [value]):
        if isinstance(one, str):
            if one:
                yield one
        elif one is not None:
            yield msgspec.json.encode(one).decode()
