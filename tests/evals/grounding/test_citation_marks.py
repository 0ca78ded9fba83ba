"""Citations, and the sentences that they stand by."""

import pytest

from trimtab.evals.grounding.citations import SourceNames, read_citations

TEXTS = ["Smith wrote in 2020 of parcels.", "Of pumps.", "Of lakes."]
NAMES = SourceNames(3, 1, {"doc-a": 0, "doc-b": 1, "lee 2019": 2}, TEXTS)


def cited(answer: str) -> list[tuple[int, ...]]:
    return [one.sources for one in read_citations(answer, NAMES)]


@pytest.mark.parametrize(
    ("answer", "sources"),
    [
        ("Parcels are heavy [1].", [(0,)]),
        ("Parcels are heavy. [1] Pumps are not.", [(0,), ()]),
        ("Parcels are heavy.[1] Pumps are not.[2]", [(0,), (1,)]),
        ("Both [1, 2]. All [1-3]. Two [1][3].", [(0, 1), (0, 1, 2), (0, 2)]),
        ("A footnote[^2].", [(1,)]),
        ("Raised¹ and more².", [(0, 1)]),
        ("Lens 【2†source】.", [(1,)]),
        ("By id [doc-b]; [Doc-A].", None),
        ("As told (Smith 2020).", [(0,)]),
        ("As told (Smith et al., 2020; Lee 2019).", [(0, 2)]),
        ("No cite [sic] and [a link](x) and 10³ and (Windows 2000) and (May 2020).", [()]),
        ("", []),
    ],
)
def test_marks(answer: str, sources: list[tuple[int, ...]] | None) -> None:
    assert cited(answer) == ([(1, 0)] if sources is None else sources)


@pytest.mark.parametrize(
    ("answer", "mark"),
    [
        ("Far too many [4].", "[4]"),
        ("None so low [0].", "[0]"),
        ("By id [doc-z].", "[doc-z]"),
        ("As told (Jones, 2020).", "(Jones, 2020)"),
    ],
)
def test_marks_that_name_nothing(answer: str, mark: str) -> None:
    (sentence,) = read_citations(answer, NAMES)
    assert sentence.unknown == (mark,)


def test_the_sentence_has_no_marks() -> None:
    (sentence,) = read_citations("Parcels are heavy [1], and pumps too [2].", NAMES)
    assert sentence.text == "Parcels are heavy, and pumps too."
