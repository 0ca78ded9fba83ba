"""What the providers of the soak do: mostly well, and everything that can go wrong among it."""

from collections.abc import Sequence
from random import Random

from trimtab.testing import Behaviour, Event, Script
from whole.money import SMALL, declared

ONE_RATES = declared(input="0.12345", output="1.98765")
TWO_RATES = SMALL
RATES = {"mix": ONE_RATES, "spare": TWO_RATES, "endless": ONE_RATES, "loris": ONE_RATES}

# A whole answer begins and ends so that none can be taken for another one that was cut.
OPENING = "Listen:"
TEXT = f"{OPENING} the rudder turns the ship, naïve 海, and a small 🚢 tab turns the rudder. Over."
TOKENS = 12

LIMITS = "connect_s = 1, ttft_s = 0.6, idle_s = 0.6, total_s = 4"
_LONG_S = 30.0  # longer than any limit
_FOREVER = 10**9
_OVERLOADED = {"message": "overloaded", "type": "overloaded_error", "param": None, "code": 529}
_TOO_LONG = {"message": "too long", "type": "invalid_request_error", "param": "messages"}
_FILTERED = {"message": "filtered", "type": "invalid_request_error", "param": "prompt"}
_MB = 1_000_000


def _says(**fields: object) -> Behaviour:
    known: dict[str, object] = {"text": TEXT, "tokens": TOKENS, **fields}
    return Behaviour(**known)  # pyright: ignore[reportArgumentType]


def _well() -> list[tuple[float, Behaviour]]:
    return [
        (25, _says()),
        (35, _says(first_token_after_s=0.05, token_every_s=0.005)),
        (20, _says(headers_after_s=0.1, token_every_s=0.01)),
        (8, _says(first_token_after_s=0.25, token_every_s=0.01)),
        (0.6, _says(omit_done=True)),
        (0.2, _says(segment_bytes=7)),
        (0.2, _says(segment_bytes=1, line_ending="\r\n")),
        (0.2, _says(line_ending="\r")),
        (0.2, _says(comment="ping")),
        (0.2, _says(multiline_data=True)),
        (0.2, _says(report_usage="never")),
        (0.2, _says(until_close=True)),
        (0.2, _says(close_after=True)),
        (0.2, _says(events=(Event(at=5, data="{not json"),))),
    ]


def _refusing() -> list[tuple[float, Behaviour]]:
    return [
        (0.3, Behaviour(status=429, headers={"retry-after": "1"})),
        (0.3, Behaviour(status=429)),
        (0.5, Behaviour(status=500)),
        (0.5, Behaviour(status=503)),
        (0.2, Behaviour(status=400, error=_TOO_LONG | {"code": "context_length_exceeded"})),
        (0.2, Behaviour(status=400, error=_FILTERED | {"code": "content_filter"})),
        (0.3, _says(events=(Event(at=0, data={"error": _OVERLOADED}, last=True),))),
        (0.2, _says(events=(Event(at=6, data={"error": _OVERLOADED}, last=True),))),
        (0.2, Behaviour(error=_OVERLOADED)),
        (0.1, Behaviour(body="<html>not json</html>")),
        (0.1, Behaviour(raw="this is not HTTP\r\n\r\n")),
        (0.1, Behaviour(redirect="http://127.0.0.1:9/v1/chat/completions")),
    ]


def _breaking() -> list[tuple[float, Behaviour]]:
    return [
        (0.4, Behaviour(cut="reset")),
        (0.4, _says(cut="close", cut_after_tokens=8)),
        (0.3, _says(cut="reset", cut_after_tokens=3)),
        (0.3, _says(cut="end", cut_after_tokens=6)),
        (0.1, _says(cut="stop", cut_after_tokens=5)),
        (0.2, _says(content_length_error=64)),
        (0.2, _says(content_length_error=-64)),
        (0.02, _says(events=(Event(at=1, data="x" * 12 * _MB),))),
        (0.02, _says(header_padding_bytes=12 * _MB)),
    ]


def _slow() -> list[tuple[float, Behaviour]]:
    return [
        (0.3, Behaviour(headers_after_s=_LONG_S)),
        (0.3, _says(first_token_after_s=_LONG_S)),
        (0.2, _says(first_token_after_s=_LONG_S, role_first=True)),
        (0.2, _says(stall_after_tokens=4, stall_s=_LONG_S)),
    ]


_WITHOUT_END = {
    "endless": (Behaviour(tokens=_FOREVER, token_every_s=0.002, honours_max_tokens=False),),
    "loris": (Behaviour(tokens=_FOREVER, token_every_s=0.4, honours_max_tokens=False),),
}


def scripts(calls: int, seed: int, *, outages: int) -> tuple[Script, Script]:
    """What the first provider and the spare one do in so many calls each.

    The first is down `outages` times: every call of two seconds gets 503.
    """
    random = Random(seed)
    one = _drawn(random, [*_well(), *_refusing(), *_breaking(), *_slow()], calls)
    for place in range(outages):
        one[calls * (place + 1) // (outages + 1) % calls] = Behaviour(status=503, for_s=2.0)
    well = [(weight * 5, behaviour) for weight, behaviour in _well()]
    two = _drawn(random, [*well, *_refusing(), *_breaking(), *_slow()], calls)
    return Script(calls=tuple(one), models=_WITHOUT_END), Script(calls=tuple(two))


def _drawn(
    random: Random, weighted: Sequence[tuple[float, Behaviour]], calls: int
) -> list[Behaviour]:
    weights = [weight for weight, _ in weighted]
    return random.choices([behaviour for _, behaviour in weighted], weights, k=calls)


ROUTES = {
    "plain": 30,
    "ladder": 27,
    "restart": 10,
    "hedged": 15,
    "drained": 5,
    "narrow": 5,
    "away": 5,
    "no-tls": 3,
    "cached": 10,
    "endless": 0.03,
    "loris": 0.1,
}
"""The names that callers write, with their weights."""
ENDLESS = ("endless", "loris")
"""Those that are only asked for streams: no answer of theirs is ever whole."""


def soak_project(one: str, two: str, away: str, *, generation: int = 0) -> str:
    """A project with every kind of route.

    Args:
        one, two: base URLs of the providers.
        away: a base URL where nobody listens.
        generation: changes something that can be taken up while it runs.
    """
    tls = one.replace("http:", "https:")
    providers = {"one": one, "two": two, "narrow": one, "away": away, "no-tls": tls}
    few = {"narrow": "max_concurrent = 3\nmax_waiting = 10\n"}
    lines = [
        f"# generation {generation}\n[server]\nport = 0\ndrain_s = 10\n",
        f"[routes.default]\nretries = 1\ntimeouts = {{{LIMITS}}}\n",
        *(
            f'[providers.{name}]\nkind = "openai"\nbase_url = "{url}"\n{few.get(name, "")}'
            for name, url in providers.items()
        ),
        f'[models.spare]\nref = "two:spare"\ncontinues = true\n{TWO_RATES.toml}\n',
        *(
            f'[models.mix-{name}]\nref = "{name}:mix"\n{ONE_RATES.toml}\n'
            for name in providers
            if name != "two"
        ),
        *(f'[models.{name}]\nref = "one:{name}"\n{ONE_RATES.toml}\n' for name in ENDLESS),
        '[routes.plain]\nmodel = "mix-one"\nretries = 0\n',
        '[routes.ladder]\nmodel = "mix-one"\nfallback = ["spare"]\n',
        '[routes.restart]\nmodel = "mix-one"\nfallback = ["spare"]\non_break = "restart"\n',
        f"buffer_tokens = {4 + generation % 2}\n",
        '[routes.hedged]\nmodel = "mix-one"\nfallback = ["spare"]\nhedge = {max_share = 0.2}\n',
        '[routes.drained]\nmodel = "mix-one"\non_disconnect = "drain"\n',
        '[routes.narrow]\nmodel = "mix-narrow"\nfallback = ["spare"]\n',
        '[routes.away]\nmodel = "mix-away"\nfallback = ["spare"]\n',
        '[routes.no-tls]\nmodel = "mix-no-tls"\nfallback = ["spare"]\n',
        '[routes.cached]\nmodel = "mix-one"\nretries = 0\nsingle_flight = true\n',
        "cache = {ttl_s = 2, stale_s = 6}\n",
        "[cache]\nmemory_mb = 1\ndisk_mb = 4\n",
        # Wide enough to refuse nobody: every hold, extension and lease is made all the same.
        '[budgets.user]\nper = "user"\nwindow = "hour"\nlimit_usd = 100_000\n',
        '[budgets.all]\nper = "total"\nwindow = "day"\nrolling = true\n',
        f"limit_usd = {900_000 + generation}\n",
        '[limits.user]\nper = "user"\nrequests_per_minute = 1_000_000\n',
        "tokens_per_minute = 1_000_000_000\nconcurrent = 10_000\n",
    ]
    return "".join(lines)
