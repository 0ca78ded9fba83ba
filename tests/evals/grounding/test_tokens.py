"""Words, numbers, units and dates, however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.evals.grounding.lexicon import language_of
from trimtab.evals.grounding.quantities import values_of
from trimtab.evals.grounding.tokens import Token, tokenise, words_of
from trimtab.evals.grounding.words import loosely_same, stem_of


def concepts(text: str, language: str = "en") -> list[str]:
    return [token.concept for token in tokenise(text, language) if token.kind != "small"]


def number(text: str) -> Token:
    (found,) = [token for token in tokenise(text) if token.kind == "number"]
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("refunds", "refund"),
        ("paid", "pays"),
        ("stopped", "stopping"),
        ("Taylor's", "Taylor"),
        ("children", "child"),
        ("cities", "city"),
        ("bought", "purchase"),
        ("the U.S.", "the United States"),
        ("US", "America"),
        ("June", "Jun"),
    ],
)
def test_one_meaning_has_one_concept(one: str, other: str) -> None:
    assert concepts(one) == concepts(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("refund", "fund"), ("May", "March"), ("12", "21"), ("buy", "sell")],
)
def test_other_meanings_have_others(one: str, other: str) -> None:
    assert concepts(one) != concepts(other)


def test_endings_of_other_languages_come_off() -> None:
    assert stem_of("bestellungen", "de") == stem_of("bestellung", "de")
    assert stem_of("empresas", "es") == stem_of("empresa", "es")
    assert concepts("l'arbre", "fr") == concepts("arbre", "fr")


def test_forms_of_one_word_are_loosely_the_same() -> None:
    assert loosely_same("competit", "competitor")
    assert loosely_same("canada", "canadian")
    assert not loosely_same("international", "internet")
    assert not loosely_same("austria", "australia")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,200", 1200),
        ("1.2 thousand", 1200),
        ("twelve hundred", 1200),
        ("1.7 billion", 1.7e9),
        ("two million", 2e6),
        ("twenty-one", 21),
        ("7th", 7),
        ("seventh", 7),
        ("3 dozen", 36),
        ("zwölf", 12),
        ("1990s", 1990),
        ("8:30", 8.5),
        ("2 pm", 14),
        ("a fifth", 0.2),
        ("20 %", 0.2),
        ("1.500", 1500),
        ("1.500", 1.5),
        ("3,5", 3.5),
    ],
)
def test_values(text: str, value: float) -> None:
    assert value in number(text).values


def test_a_number_before_a_shared_multiplier_means_it_too() -> None:
    tokens = [token for token in tokenise("from 84 to 91 million") if token.kind == "number"]
    assert [84e6 in token.values or 91e6 in token.values for token in tokens] == [True, True]


@pytest.mark.parametrize(
    ("text", "amount", "dimension"),
    [
        ("90 minutes", 5400, "time"),
        ("1.5 hours", 5400, "time"),
        ("4.2kg", 4200, "mass"),
        ("$5", 5, "dollar"),
        ("$1.7 billion", 1.7e9, "dollar"),
        ("12 km", 12e6, "length"),
    ],
)
def test_units(text: str, amount: float, dimension: str) -> None:
    found = number(text)
    assert found.unit is not None
    assert found.unit.dimension == dimension
    assert found.values[0] * found.unit.factor == pytest.approx(amount)


def test_dates_are_the_same_in_any_order() -> None:
    expected = sorted(concepts("4 May 1911"))
    assert sorted(concepts("May 4, 1911")) == expected
    assert sorted(concepts("1911-05-04")) == expected
    assert sorted(concepts("4. Mai 1911", "de")) == expected
    assert "#m5" not in concepts("you may go")


def test_names_are_told_by_capitals_inside_a_sentence() -> None:
    tokens = tokenise("Yesterday Marta met Paulo. Pets stay.")
    assert [token.text for token in tokens if token.name] == ["marta", "paulo"]
    assert not any(token.name for token in tokenise("Der Kunde trägt die Kosten", "de"))


@given(st.text(max_size=80))
def test_any_text_can_be_read_and_tokens_stand_where_they_say(text: str) -> None:
    tokens = tokenise(text)
    assert all(0 <= token.start < token.end <= len(text) for token in tokens)
    starts = [token.start for token in tokens]
    assert starts == sorted(starts)


@given(st.from_regex(r"\d{1,9}([.,]\d{1,6}){0,3}", fullmatch=True))
def test_digits_with_points_and_commas_have_a_value(digits: str) -> None:
    assert values_of(digits)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The parcel is on its way to you", "en"),
        ("Das Paket ist auf dem Weg zu Ihnen und wird geliefert", "de"),
        ("Le colis est en route vers vous et il arrive", "fr"),
        ("El paquete está en camino y llega a la casa", "es"),
        ("Het pakket is onderweg naar u en het komt", "nl"),
        ("1932", ""),
        ("", ""),
    ],
)
def test_the_language_is_told_by_its_small_words(text: str, language: str) -> None:
    assert language_of(words_of(text)) == language
