"""What an application imports: a client of the gateway, asynchronous and not."""

from trimtab.client.answer import Answer
from trimtab.client.bundle import Bundle
from trimtab.client.call import RenderedPrompt
from trimtab.client.core import AsyncClient
from trimtab.client.face import AnswerStream, Client
from trimtab.client.failures import AnswerTimeout, GatewayGarbage, GatewayUnreachable
from trimtab.client.settings import Provider
from trimtab.client.stream import AsyncAnswerStream

__all__ = [
    "Answer",
    "AnswerStream",
    "AnswerTimeout",
    "AsyncAnswerStream",
    "AsyncClient",
    "Bundle",
    "Client",
    "GatewayGarbage",
    "GatewayUnreachable",
    "Provider",
    "RenderedPrompt",
]
