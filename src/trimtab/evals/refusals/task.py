"""What a prompt asks for, as far as it tells a refusal from an answer that only looks like one."""

from typing import Final, NamedTuple

from trimtab.evals.refusals.lexicon import order_tongues

__all__ = ["UNKNOWN", "Task", "read_task"]

_MOST: Final = 1000  # characters looked at, at each end of a prompt


class Task(NamedTuple):
    """What the prompt asks for.

    Attributes:
        text: lower case, of both ends of it, with a space before each word; "" without a prompt.
        transforms: to translate, rewrite, sum up or explain words that it holds.
        creates: to write a letter, a scene or the like, whose people may say anything.
        about_refusing: it speaks of refusing itself, so words of refusal are expected.
        about_self: what the assistant is and can do.
        how: for a way to do something, or for something to be made.
        because: for reasons of something that it takes for granted.
        polar: for yes or no.
        define: for a fact or a definition.
    """

    text: str = ""
    transforms: bool = False
    creates: bool = False
    about_refusing: bool = False
    about_self: bool = False
    how: bool = False
    because: bool = False
    polar: bool = False
    define: bool = False


UNKNOWN: Final = Task()


def read_task(prompt: str) -> Task:
    """What a prompt asks for; "" where it is not known."""
    if not prompt or prompt.isspace():
        return UNKNOWN
    ends = prompt if len(prompt) <= 2 * _MOST else f"{prompt[:_MOST]}\n{prompt[-_MOST:]}"
    text = " " + " ".join(ends.replace("\u2019", "'").lower().split())
    asked = {
        kind
        for tongue in order_tongues(text)
        for kind, pattern in tongue.task.items()
        if pattern.search(text)
    }
    return Task(
        text=text,
        transforms="transform" in asked,
        creates={"create", "kind"} <= asked,
        about_refusing="refusing" in asked,
        about_self="self" in asked,
        how="how" in asked,
        because="because" in asked,
        polar="polar" in asked,
        define="define" in asked,
    )
