"""language: how often it is right, on sentences that were written for this test."""

import tomllib
from pathlib import Path

import pytest

from evals.evaluators.samples import sample, score
from trimtab.errors import UsageError
from trimtab.evals.evaluators.language import EVALUATOR
from trimtab.evals.languages.identify import LANGUAGES, likelihoods

SENTENCES: dict[str, dict[str, list[str]]] = tomllib.loads(
    (Path(__file__).parent / "sentences.toml").read_text(encoding="utf-8")
)
PAGE = (Path(__file__).parents[3] / "docs" / "evaluators.md").read_text(encoding="utf-8")


def outcomes(texts: list[tuple[str, str]]) -> tuple[int, int, int, int]:
    """How many texts, and for how many the evaluator says 1, nothing, and 0."""
    said = [score(EVALUATOR, text, {"language": code}) for code, text in texts]
    right, wrong = (sum(one.value == value for one in said) for value in (1, 0))
    return len(said), right, len(said) - right - wrong, wrong


def single(table: str) -> list[tuple[str, str]]:
    return [(code, text) for code, texts in SENTENCES[table].items() for text in texts]


def three(table: str) -> list[tuple[str, str]]:
    return [(code, " ".join(texts[-3:])) for code, texts in SENTENCES[table].items()]


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        ("one sentence, held out", single("held_out")),
        ("three sentences, held out", three("held_out")),
        ("one sentence, seen", single("seen")),
        ("three sentences, seen", three("seen")),
    ],
)
def test_how_often_it_is_right_is_on_the_page(words: str, texts: list[tuple[str, str]]) -> None:
    count, right, unclear, wrong = outcomes(texts)
    assert f"| {words} | {count} | {right} | {unclear} | {wrong} |" in PAGE
    assert right > 0.9 * count


def test_there_are_sentences_in_all_languages() -> None:
    assert set(SENTENCES["seen"]) == LANGUAGES
    assert len(LANGUAGES) == 49


def test_no_sentence_is_taken_for_one_of_another_script() -> None:
    alone = ("el", "he", "ja", "ko", "ru", "th", "zh")
    for code in alone:
        for text in SENTENCES["seen"][code]:
            assert score(EVALUATOR, text, {"language": "en"}).value == 0


@pytest.mark.parametrize(
    ("language", "text", "value"),
    [
        ("pt-BR", "Não sei onde está a chave, mas ela não está aqui.", 1),
        ("pt_PT", "Não sei onde está a chave, mas ela não está aqui.", 1),
        ("nb", "Hva skal vi gjøre nå? Jeg vet ikke hvor noen av nøklene er.", 1),
        ("sr", "Ne znam gdje je ključ, ali nije ovdje.", 1),
        ("bs", "Ne znam gdje je ključ, ali nije ovdje.", 1),
        (["fr", "en"], "I do not know where the key is, but it is not here.", 1),
        ("fr", "I do not know where the key is, but it is not here.", 0),
        ("zh", "我不知道钥匙在哪里。", 1),
        ("zh", "鍵がどこにあるか知りませんが、ここにはありません。", 0),
        ("ja", "鍵がどこにあるか知りませんが、ここにはありません。", 1),
        ("en", "```\nif x: return None\n```\nLa clé n'est pas ici, je ne sais pas où elle est.", 0),
        ("fr", "https://example.com/where/is/the/key La clé n'est pas ici, où est-elle ?", 1),
    ],
)
def test_languages(language: str | list[str], text: str, value: float) -> None:
    assert score(EVALUATOR, text, {"language": language}).value == value


def test_serbian_is_right_in_both_scripts_and_croatian_in_one() -> None:
    text = " ".join(SENTENCES["seen"]["sr"])
    assert score(EVALUATOR, text, {"language": "sr"}).value == 1
    assert score(EVALUATOR, text, {"language": "hr"}).value == 0


@pytest.mark.parametrize("text", ["", "OK", "42", "👍", "你好", "```\nall of this is code\n```"])
def test_too_little_text_is_unmeasured(text: str) -> None:
    assert score(EVALUATOR, text, {"language": "de"}).status == "unmeasured"


def test_what_may_be_several_languages_is_unmeasured() -> None:
    text = "Det er en stor by"  # Danish and Norwegian alike
    assert score(EVALUATOR, text, {"language": "da"}).status == "unmeasured"
    assert score(EVALUATOR, text, {"language": ["da", "no"]}).value == 1
    assert score(EVALUATOR, text, {"language": "de"}).value == 0


def test_the_label_is_what_it_seems_to_be() -> None:
    said = score(EVALUATOR, "I do not know where the key is.", {"language": "de"})
    assert (said.label, said.reason) == ("en", "it seems to be 'en'")


def test_the_language_of_a_case_takes_the_place_of_the_option() -> None:
    answer = sample("I do not know where the key is.", expected={"language": "en"})
    assert score(EVALUATOR, answer, {"language": "de"}).value == 1
    assert score(EVALUATOR, "x").status == "not_applicable"


def test_a_language_that_cannot_be_told_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'xx' cannot be told\. Told are: ar, bg, bn"):
        score(EVALUATOR, "x", {"language": "xx"})


def test_a_long_text_is_told_from_parts_of_it() -> None:
    text = " ".join(SENTENCES["seen"]["pl"] * 2_000)
    likely = likelihoods(text)
    assert max(likely, key=lambda code: likely[code]) == "pl"
