"""The traffic of the demo: several people, one of them far heavier than the others."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from trimtab.cli.demo_suite import PROMPT
from trimtab.cli.output import console
from trimtab.errors import UsageError

if TYPE_CHECKING:
    from openai import OpenAI

__all__ = ["send_traffic"]

_QUESTIONS = (
    "What is a trim tab?",
    "Name three rivers in Europe.",
    "Why is the sky blue?",
    "Give me a short greeting.",
    "What is the capital of France?",
)
_LIGHT_USERS = ("ana", "ben", "chloe", "deniz", "emil", "farah")
_HEAVY_USER = "greta"
_DOCUMENT = (
    "The rudder of a large ship is heavy, and turning it against the water takes great force. "
    "A small flap at its trailing edge, the trim tab, is easy to turn; the pressure that it causes "
    "turns the rudder, and the rudder turns the ship. "
) * 12
_MANNERS = "You answer in one sentence."
_AT_ONCE = 3


_TICKETS = (
    "Water is coming out of the valve although it is closed. What can I do?",
    "May I pay the yearly plan by bank transfer?",
    "My parcel was left in the rain, and the box is soaked.",
)


class _Request(NamedTuple):
    user: str
    text: str
    max_tokens: int
    streamed: bool
    session: str
    model: str = "chat"
    prompt: str = ""


def send_traffic(base_url: str) -> None:
    """Send it with the official client, showing progress.

    Raises:
        UsageError: the official client is not installed.
    """
    try:
        from openai import OpenAI, OpenAIError
    except ImportError as error:
        raise UsageError("The demo needs the openai client: pip install 'trimtab[demo]'") from error

    requests = _requests()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    client = OpenAI(base_url=base_url, api_key="none", max_retries=0, timeout=120)
    with client, Progress(*columns, console=console) as progress:
        shown = progress.add_task("sending requests", total=len(requests))

        def send(request: _Request) -> str:
            try:
                _send(client, request)
            except OpenAIError as error:
                return f"{request.user}, route {request.model}: {error}"
            finally:
                progress.advance(shown)
            return ""

        for problem in _in_parallel(send, requests):
            if problem:
                console.print(f"  as planned, one request failed: {problem}", markup=False)


def _in_parallel(send: Callable[[_Request], str], requests: list[_Request]) -> list[str]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(send, requests))


def _requests() -> list[_Request]:
    light = [
        _Request(
            user,
            _QUESTIONS[(number + turn) % len(_QUESTIONS)],
            16,
            streamed=turn % 2 == 0,
            session=f"{user}-{1 + turn // 2}",
        )
        for turn in range(4)
        for number, user in enumerate(_LIGHT_USERS)
    ]
    heavy = [
        _Request(
            _HEAVY_USER,
            f"{_DOCUMENT}\nSummarise this, version {turn}.",
            60,
            streamed=True,
            session=f"{_HEAVY_USER}-1",
        )
        for turn in range(6)
    ]
    mixed = [request for pair in zip(light[:6], heavy, strict=True) for request in pair]
    story = "Tell me a very long story."
    odd = [
        _Request("ana", story, 250, streamed=True, session="ana-2", model="impatient"),
        _Request("emil", story, 250, streamed=False, session="emil-2", model="away"),
    ]
    question = _QUESTIONS[0]
    asked = _Request("ben", question, 16, streamed=False, session="ben-3", model="remembers")
    helped = _Request("farah", question, 16, streamed=True, session="farah-3", model="steadfast")
    tickets = [
        _Request("chloe", ticket, 40, streamed=False, session="chloe-9", prompt=PROMPT)
        for ticket in _TICKETS
    ]
    return [asked, *mixed, *odd, *light[6:], helped, *tickets, asked]


def _send(client: "OpenAI", request: _Request) -> None:
    if request.prompt:  # the gateway renders it, and every record names its version
        client.chat.completions.create(
            model=f"prompt:{request.prompt}",
            messages=[],
            metadata={"ticket": request.text},
            user=request.user,
            extra_headers={"x-trimtab-session": request.session},
        )
        return
    fields: dict[str, Any] = {
        "model": request.model,
        "messages": [
            {"role": "system", "content": _MANNERS},
            {"role": "user", "content": request.text},
        ],
        "max_tokens": request.max_tokens,
        "user": request.user,
        "extra_headers": {"x-trimtab-session": request.session},
    }
    if not request.streamed:
        client.chat.completions.create(**fields)
        return
    for _ in client.chat.completions.create(**fields, stream=True):
        pass
