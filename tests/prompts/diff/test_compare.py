"""Two versions, turn by turn."""

import msgspec

from prompts.diff.versions_of import prompt
from trimtab.prompts.diff.compare import Difference, compare
from trimtab.prompts.diff.rendered import compare_rendered
from trimtab.prompts.diff.words import Span

TALK = """Sort tickets.
<<user>>
First.
<<assistant>>
bug
<<user>>
{{ ticket }}
<<image photo>>"""


def turns(old: str, new: str) -> list[tuple[str, str, int, int]]:
    found = compare(prompt(body=old), prompt(body=new)).turns
    return [(turn.kind, turn.role, turn.old, turn.new) for turn in found]


def test_turns_are_compared_with_those_of_their_role():
    more = TALK.replace(
        "<<user>>\n{{ ticket", "<<user>>\nSecond.\n<<assistant>>\nfeature\n<<user>>\n{{ ticket"
    ).replace("Sort", "Sort all")
    assert turns(TALK, more) == [
        ("changed", "system", 1, 1),
        ("same", "user", 2, 2),
        ("same", "assistant", 3, 3),
        ("added", "user", 0, 4),
        ("added", "assistant", 0, 5),
        ("same", "user", 4, 6),
    ]
    assert turns(more, TALK)[3:5] == [
        ("removed", "user", 4, 0),
        ("removed", "assistant", 5, 0),
    ]


def test_a_turn_of_another_role_is_another_turn():
    assert turns("<<system>>\nHello", "<<user>>\nHello") == [
        ("removed", "system", 1, 0),
        ("added", "user", 0, 1),
    ]


def test_an_image_and_the_place_of_the_callers_messages_are_turns():
    assert turns(TALK, TALK.replace("photo", "other"))[3] == ("changed", "user", 4, 4)
    assert turns(TALK, TALK + "\n<<history>>")[4] == ("added", "history", 0, 5)


def test_the_version_is_the_same_if_only_the_file_says_something_else():
    difference = compare(prompt("description: a"), prompt("description: b"))
    assert not difference.is_behaviour
    assert not difference.is_breaking
    assert [change.path for change in difference.fields] == ["description"]


def test_a_body_that_differs_around_its_turns_is_another_version_and_says_so():
    difference = compare(prompt(body="<<system>>\nHi"), prompt(body="<<developer>>\n\n\nHi"))
    assert difference.is_behaviour
    assert difference.is_layout
    assert not compare(prompt(body="Hi"), prompt(body="Ho")).is_layout


def test_partials_are_compared_by_their_names():
    both = '{% include "_partials/a.md" %}{% include "_partials/b.md" %}'
    old = prompt(body=both, a="Be kind.", b="Same.")
    new = prompt(
        body=both.replace("b.md", "c.md") + '{% include "_partials/b.md" %}',
        a="Be short.",
        b="Same.",
        c="New.",
    )
    found = {partial.name: partial for partial in compare(old, new).partials}
    assert {name: partial.kind for name, partial in found.items()} == {
        "_partials/a.md": "changed",
        "_partials/c.md": "added",
    }
    assert Span("removed", "kind") in found["_partials/a.md"].spans
    assert found["_partials/c.md"].spans == (Span("added", "New."),)


def test_a_difference_is_json():
    difference = compare(
        prompt("config: {a: 1}", TALK), prompt("config: {a: 2}", "Other"), names=("v1", "draft")
    )
    assert (difference.old.name, difference.new.name) == ("v1", "draft")
    assert msgspec.json.decode(msgspec.json.encode(difference), type=Difference) == difference


def test_a_version_differs_from_itself_in_nothing():
    difference = compare(prompt(body=TALK), prompt(body=TALK))
    assert not difference.is_behaviour
    assert (difference.fields, difference.partials) == ((), ())
    assert {turn.kind for turn in difference.turns} == {"same"}


def test_rendered_messages_stand_side_by_side():
    old = prompt(body="Sort.\n{% if vip %}Hurry.{% endif %}\n<<history>>\n<<user>>\n{{ ticket }}")
    new = prompt(body="Sort.\nHurry.\n<<history>>\n<<user>>\nThe ticket: {{ ticket }}")
    values = {"ticket": "It broke", "vip": True}
    found = compare_rendered(old, new, values, case="a vip")
    assert [message.text for message in found.old] == ["Sort.\nHurry.", "", "It broke"]
    assert [message.role for message in found.new] == ["system", "history", "user"]
    assert [message.kind for message in found.messages] == ["same", "same", "changed"]
    assert found.messages[2].spans == (
        Span("added", "The ticket: "),
        Span("same", "It broke"),
    )
    assert compare_rendered(old, old, values).is_same
    assert not found.is_same


def test_a_version_that_cannot_be_rendered_says_why_and_shows_no_value():
    old = prompt("input: {schema: {a: string}}", "{{ a }}")
    new = prompt("input: {schema: {a: integer}}", "{{ a }}")
    found = compare_rendered(old, new, {"a": "secret"})
    assert found.old_problem == ""
    assert found.new_problem.startswith("The variables do not fit prompt 'x': `a` must be integer")
    assert "secret" not in found.new_problem
    assert found.messages == ()
    assert not found.is_same


def test_another_long_image_is_another_line():
    pictured = prompt(body="<<user>>\nLook:\n<<image photo>>")
    start = "data:image/png;base64," + "A" * 10_000
    one = compare_rendered(pictured, pictured, {"photo": start + "B"})
    other = compare_rendered(pictured, pictured, {"photo": start + "C"})
    assert one.is_same
    assert one.old[0].text != other.old[0].text
    assert len(one.old[0].text) < 150
    short = compare_rendered(pictured, pictured, {"photo": "https://example.com/a.png"})
    assert short.old[0].text == "Look:\n<<image https://example.com/a.png>>"
