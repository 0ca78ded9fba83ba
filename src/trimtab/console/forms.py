"""What people fill in and send: only from a form of the console itself."""

from urllib.parse import parse_qs

from starlette.requests import Request

from trimtab.console.access import check_own_form
from trimtab.errors import MalformedRequest

__all__ = ["own_form"]

_MOST_BYTES = 8_192
_MOST_FIELDS = 8


async def own_form(request: Request) -> dict[str, str]:
    """The fields of a form of ours.

    Raises:
        ForbiddenOrigin: it is not ours.
        MalformedRequest: it is too long.
    """
    check_own_form(dict(request.headers.raw))
    body = await request.body()
    if len(body) > _MOST_BYTES:
        raise MalformedRequest("This form is too long. A key has 43 characters.")
    try:
        fields = parse_qs(body.decode("latin-1"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise MalformedRequest("This form has more fields than any of the console's.") from None
    return {name: values[-1] for name, values in fields.items()}
