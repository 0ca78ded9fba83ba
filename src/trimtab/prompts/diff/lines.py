"""Changed words as changed lines, as tools for differences write them."""

from collections.abc import Iterator, Sequence

from trimtab.prompts.diff.words import Span

__all__ = ["diff_lines"]


def diff_lines(spans: Sequence[Span]) -> Iterator[str]:
    """Lines that begin with a space, a minus or a plus.

    White space at the end of a line that changed is shown: a space as a dot in the middle, a
    tabulator as an arrow.
    """
    old, new = list[str](), list[str]()  # parts of the lines that are not complete
    for span in spans:
        if span.kind == "removed":
            old.append(span.text)
        elif span.kind == "added":
            new.append(span.text)
        else:
            first, *others = _text(span).split("\n")
            for part in others:
                yield from _closed("".join((*old, first)), "".join((*new, first)))
                old, new, first = list[str](), list[str](), part
            old.append(first)
            new.append(first)
    yield from _closed("".join(old), "".join(new), is_end=True)


def _text(span: Span) -> str:
    if span.kind == "same":
        return span.text
    unit = "word" if span.words == 1 else "words"
    return f" [... {span.words} {unit} ...]" + ("\n" if span.lines else "")


def _closed(old: str, new: str, *, is_end: bool = False) -> Iterator[str]:
    """The lines of both; those with which both begin or end are shown once.

    At the end of a text, nothing is no line, and a line end that both have is none more.
    """
    is_ended = is_end and all(text.endswith("\n") for text in (old, new) if text)
    olds, news = (
        [] if is_end and not text else (text[:-1] if is_ended else text).split("\n")
        for text in (old, new)
    )
    most = min(len(olds), len(news))
    before = next((at for at in range(most) if olds[at] != news[at]), most)
    most -= before
    after = next((at for at in range(most) if olds[-1 - at] != news[-1 - at]), most)
    yield from (f" {line}" for line in olds[:before])
    yield from (f"-{_marked(line)}" for line in olds[before : len(olds) - after])
    yield from (f"+{_marked(line)}" for line in news[before : len(news) - after])
    yield from (f" {line}" for line in olds[len(olds) - after :])


def _marked(line: str) -> str:
    text = line.rstrip(" \t")
    end = line[len(text) :].replace(" ", "\N{MIDDLE DOT}").replace("\t", "\N{RIGHTWARDS ARROW}")
    return text + end
