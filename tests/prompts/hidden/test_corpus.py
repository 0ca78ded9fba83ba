"""How well prompts are told from other texts, measured on snippets with labels.

Each snippet of `corpus/` is a project of one file. `#### + FILE | NAME` begins one that hides the
prompt NAME and no other, `#### - FILE` one that hides none.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from trimtab.prompts.hidden.find import find_hidden

CORPUS = Path(__file__).parent / "corpus"
KINDS = ["python", "typescript", "env", "compose", "kubernetes"]


class Snippet(NamedTuple):
    kind: str
    file: str
    name: str
    text: str


class Score(NamedTuple):
    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed)


def snippets() -> list[Snippet]:
    found: list[Snippet] = []
    for kind in KINDS:
        text = (CORPUS / f"{kind}.txt").read_text()
        _, *pieces = re.split(r"^#### ([+-]) (\S+)(?: \| (\S+))?\n", text, flags=re.MULTILINE)
        for sign, file, name, body in zip(*(pieces[at::4] for at in range(4)), strict=True):
            assert (sign == "+") == (name is not None)
            found.append(Snippet(kind, file, name or "", body))
    return found


SNIPPETS = snippets()


def measure(folder: Path, chosen: list[Snippet]) -> tuple[Score, list[str]]:
    right = wrong = missed = 0
    tales: list[str] = []
    for number, snippet in enumerate(chosen):
        project = folder / str(number)
        path = project / snippet.file
        path.parent.mkdir(parents=True)
        path.write_text(snippet.text)
        found = [(prompt.kind, prompt.name) for prompt in find_hidden(project)]
        expected = [(snippet.kind, snippet.name)] if snippet.name else []
        right += sum(each in expected for each in found)
        wrong += sum(each not in expected for each in found)
        missed += sum(each not in found for each in expected)
        if found != expected:
            tales.append(f"{snippet.kind} {snippet.file}: found {found}, expected {expected}")
    return Score(right, wrong, missed), tales


def test_the_corpus_is_large_enough_and_has_all_kinds():
    positive = [snippet.kind for snippet in SNIPPETS if snippet.name]
    negative = [snippet.kind for snippet in SNIPPETS if not snippet.name]
    assert len(positive) >= 60
    assert len(negative) >= 60
    assert set(positive) == set(negative) == set(KINDS)


@pytest.mark.parametrize("kind", ["all", *KINDS])
def test_precision_and_recall(tmp_path: Path, kind: str):
    chosen = [snippet for snippet in SNIPPETS if kind in {"all", snippet.kind}]
    score, tales = measure(tmp_path, chosen)
    told = "\n".join([f"precision {score.precision:.3f}, recall {score.recall:.3f}", *tales])
    assert score.precision >= 0.95, told
    assert score.recall >= 0.95, told
