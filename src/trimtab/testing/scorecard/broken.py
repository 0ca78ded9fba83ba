"""Rows in which an answer breaks off, or comes in an odd shape."""

from typing import Any, Final

import msgspec

from trimtab.testing.calls import Call
from trimtab.testing.faults import FAULTS
from trimtab.testing.scorecard.case import Case, whole_text
from trimtab.testing.scorecard.row import Row
from trimtab.testing.scorecard.scene import Scene
from trimtab.testing.scorecard.tale import Tale
from trimtab.testing.script import Behaviour, Event

__all__ = ["BROKEN"]

_SOON_S: Final = 5.0
_AT_ONCE_S: Final = 1.0
_TOKENS: Final = 60
_ROOM: Final = "buffer_tokens = 50"  # more than are shown before the break

# The pauses let each token be shown before the break; they are short enough for any scale.
_CLOSED = msgspec.structs.replace(FAULTS["S08"][0], token_every_s=0.005)
_RESET = msgspec.structs.replace(_CLOSED, cut="reset")
_SIXTY = (Behaviour(tokens=_TOKENS),)
_REFUSES = (Behaviour(tokens=_TOKENS, prefill="refuse"),)
_JUNK = Event(at=9, data="{not json")


async def _dies(scene: Scene) -> str:
    goes_on = await scene.ask("continues", within_s=_SOON_S)
    unseen = await scene.ask("buffer", within_s=_SOON_S)
    ends = await scene.ask("ends", within_s=_SOON_S, expected="error")
    scene.expect(goes_on.heard.continued_by, "no model went on with it")
    scene.expect(unseen.by == "spare", "the fallback did not begin anew")
    _expect_whole(scene, goes_on, unseen)
    for tale in (goes_on, unseen, ends):
        _expect_noticed(scene, tale)
    code = (ends.heard.error or {}).get("code")
    scene.expect(code == "provider_truncated", f"the caller was told {code}")
    for case in ("continues", "buffer", "ends"):
        await scene.heals(case)
    return f"{goes_on.says}; inside the buffer {unseen.says}; else {ends.says}"


def _expect_whole(scene: Scene, *tales: Tale) -> None:
    for tale in tales:
        said = tale.heard.text
        scene.expect(said == whole_text(_TOKENS), f"not all {_TOKENS} tokens once: {said[-60:]!r}")


def _expect_noticed(scene: Scene, tale: Tale) -> None:
    """The broken attempt is on record as such, with what it may cost."""
    first = tale.attempts[0]
    scene.expect(first.outcome == "error", f"the break is recorded as {first.outcome}")
    if first.provider_request_id:
        scene.expect(first.cost_nanousd > 0, "the tokens before the break cost nothing")


async def _no_prefill(scene: Scene) -> str:
    tales: dict[str, Tale] = {}
    for case in ("honest", "honest-buffer", "wrong", "wrong-buffer"):
        expected = "answer" if case.endswith("buffer") else "error"
        tales[case] = await scene.ask(case, within_s=_SOON_S, expected=expected)
    for case, tale in tales.items():
        shown = bytes(tale.heard.body)
        scene.expect(b"prefill" not in shown, f"{case}: the caller saw the refusal of the prefill")
        if case.endswith("buffer"):
            scene.expect(tale.by == "spare", f"{case}: the fallback did not begin anew")
            scene.expect(
                all(not _ends_in_prefill(call) for call in tale.spare),
                f"{case}: a prefill was sent, though nothing had been shown",
            )
    prefilled = [call for call in tales["honest"].spare if _ends_in_prefill(call)]
    scene.expect(not prefilled, "a model that does not continue was sent a prefill")
    for case in tales:
        await scene.heals(case)
    return (
        f"begun anew inside the buffer, {tales['honest-buffer'].says}; else "
        f"{tales['honest'].says}; declared wrongly: {tales['wrong'].says}"
    )


def _ends_in_prefill(call: Call) -> bool:
    messages: list[dict[str, Any]] = msgspec.json.decode(call.body)["messages"]
    return messages[-1]["role"] == "assistant"


async def _junk(scene: Scene) -> str:
    more = await scene.ask("more", within_s=_SOON_S)
    instead = await scene.ask("instead", within_s=_SOON_S, expected="either")
    scene.expect(more.heard.text == whole_text(12), "the answer beside the junk is not complete")
    for case in ("more", "instead"):
        await scene.heals(case)
    skipped = f"skipped, {more.says}" if more.by == "primary" else more.says
    return f"{skipped}; in the place of a token: {instead.says}"


async def _no_done(scene: Scene) -> str:
    tales = [await scene.ask(case, within_s=_AT_ONCE_S) for case in ("", "open")]
    for tale in tales:
        scene.expect(tale.by == "primary" and len(tale.attempts) == 1, "it was asked again")
        attempt = tale.attempts[0]
        scene.expect(
            attempt.usage_source == "reported" and tale.heard.usage,
            f"usage is {attempt.usage_source}, the caller was told {tale.heard.usage}",
        )
    for case in ("", "open"):
        await scene.heals(case)
    return f"{tales[0].says} at once, usage reported; also where the body stays open"


_WHOLE_CUTS = {
    "longer": FAULTS["X03-longer"][0],
    "shorter": FAULTS["X03-shorter"][0],
    "cut": Behaviour(cut="close", cut_after_tokens=6),
}
_STREAM_CUTS = {
    "stream-longer": Behaviour(content_length_error=64, cut="close", cut_after_tokens=6),
    "stream-shorter": Behaviour(content_length_error=-600),
    "chunk-cut": FAULTS["X03-chunk-cut"][0],
    "clean-end": FAULTS["X03-clean-end"][0],
}
_NOTICED = frozenset(("truncated", "garbage"))


async def _wrong_length(scene: Scene) -> str:
    for case in _WHOLE_CUTS:
        _expect_truncated(scene, case, await scene.ask(case, within_s=_SOON_S, stream=False))
    ended: set[str] = set()
    for case in _STREAM_CUTS:
        tale = await scene.ask(case, within_s=_SOON_S, expected="either")
        _expect_truncated(scene, case, tale)
        ended.add(tale.says)
    for case in (*_WHOLE_CUTS, *_STREAM_CUTS):
        await scene.heals(case)
    return f"whole: answered by the fallback; streams: {', '.join(sorted(ended))}"


def _expect_truncated(scene: Scene, case: str, tale: Tale) -> None:
    first = tale.attempts[0]
    noticed = first.outcome == "error" and first.error_code in _NOTICED
    scene.expect(noticed, f"{case}: recorded as {first.outcome} {first.error_code}")


_ODD = {
    "bytes": FAULTS["X04-bytes"][0],
    "crlf": FAULTS["X04-crlf"][0],
    "cr": Behaviour(segment_bytes=1, line_ending="\r"),
    "comments": Behaviour(comment="ping", segment_bytes=7),
    "multiline": Behaviour(multiline_data=True, segment_bytes=5),
}


async def _odd_frames(scene: Scene) -> str:
    usual = await scene.ask("usual", within_s=_SOON_S)
    for case in _ODD:
        tale = await scene.ask(case, within_s=_SOON_S)
        scene.expect(tale.by == "primary", f"{case}: {tale.says}")
        same = _said(tale) == _said(usual)
        scene.expect(same, f"{case}: not what a well-framed stream says")
        await scene.heals(case)
    return f"{len(_ODD)} odd framings, each the same as the well-framed stream"


def _said(tale: Tale) -> list[dict[str, Any]]:
    """All objects of a stream but for what must differ between two calls."""
    own = {"id", "model", "usage"}
    return [{k: v for k, v in value.items() if k not in own} for value in tale.heard.objects]


def _break_cases(primary: Behaviour, spare: tuple[Behaviour, ...]) -> tuple[Case, ...]:
    """With a fallback that is said to go on with a stream, or not; with a buffer or without."""
    first = (primary,)
    return (
        Case(name="honest", primary=first, spare=spare),
        Case(name="honest-buffer", primary=first, spare=spare, policy=_ROOM),
        Case(name="wrong", primary=first, spare=spare, continues=True),
        Case(name="wrong-buffer", primary=first, spare=spare, continues=True, policy=_ROOM),
    )


BROKEN = (
    Row(
        row_id="S08",
        fault="a stream that dies after 40 of 60 tokens",
        does="a fallback that can goes on with it; unseen inside `buffer_tokens`; else an error",
        cases=(
            Case(name="continues", primary=(_CLOSED,), spare=_SIXTY, continues=True),
            Case(name="buffer", primary=(_RESET,), spare=_SIXTY, policy=_ROOM),
            Case(name="ends", primary=(_RESET,), spare=_SIXTY),
        ),
        act=_dies,
    ),
    Row(
        row_id="S10",
        fault="the tenth event is not JSON, the rest is fine",
        does="skips it",
        cases=(
            Case(name="more", primary=(Behaviour(events=(_JUNK,)),)),
            Case(
                name="instead",
                primary=FAULTS["S10"],
                texts=(whole_text(12, without=8),),
            ),
        ),
        act=_junk,
    ),
    Row(
        row_id="S11",
        fault="a complete stream without `[DONE]`",
        does="finishes at once, with usage",
        cases=(
            Case(primary=FAULTS["S11"]),
            Case(name="open", primary=(Behaviour(omit_done=True, end_after_s=600),)),
        ),
        act=_no_done,
    ),
    Row(
        row_id="S14",
        fault="a stream cut as in S08; the fallback refuses an assistant prefill",
        does="begins anew while nothing was shown, else an error; the refusal is never seen",
        cases=_break_cases(_CLOSED, _REFUSES),
        act=_no_prefill,
    ),
    Row(
        row_id="X03",
        fault="a body longer or shorter than declared; a chunked body cut",
        does="notices it, and moves to the fallback while nothing was shown",
        cases=tuple(
            Case(name=name, primary=(behaviour,))
            for name, behaviour in {**_WHOLE_CUTS, **_STREAM_CUTS}.items()
        ),
        act=_wrong_length,
    ),
    Row(
        row_id="X04",
        fault="a byte per TCP segment; `\\r`, `\\n` or both; comments; data over several lines",
        does="gives the same as for a well-framed stream",
        cases=(
            Case(name="usual"),
            *(Case(name=name, primary=(behaviour,)) for name, behaviour in _ODD.items()),
        ),
        act=_odd_frames,
    ),
)
