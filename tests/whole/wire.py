"""A caller on a raw socket, which knows exactly what it got and what it did not get."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(rb'"(?:content|arguments)":"[^"]')


class Answer:
    """What has come of one answer so far.

    Attributes:
        body: without the chunk framing.
        whole: the last byte of it came; of a stream also its terminator.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.whole = False

    @property
    def request_id(self) -> str:
        return self.headers.get("x-request-id", "")

    @property
    def tokens(self) -> int:
        """Events of a stream with content in them."""
        return sum(1 for event in self.body.split(b"\n\n") if _TOKEN.search(event))

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        return self.json["error"]


class Caller:
    """One connection that is kept; opened anew after it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.answer = Answer()

    async def chat(
        self,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        progress: Callable[[Answer], bool] = lambda _: True,
    ) -> Answer:
        """Post to the chat route and read the answer until `progress` says that it is enough.

        Raises:
            ConnectionError, asyncio.IncompleteReadError: the gateway went away; `self.answer`
                holds what had come.
        """
        self.answer = answer = Answer()
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        lines = [
            "POST /v1/chat/completions HTTP/1.1",
            f"host: 127.0.0.1:{self._port}",
            "content-type: application/json",
            f"content-length: {len(body)}",
            *(f"{name}: {value}" for name, value in (headers or {}).items()),
        ]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        try:
            await self._read(self._reader, answer, progress)
        finally:
            if not answer.whole or answer.headers.get("connection") == "close":
                self.close()
        return answer

    def close(self) -> None:
        """Close at once."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def _read(
        self, reader: asyncio.StreamReader, answer: Answer, progress: Callable[[Answer], bool]
    ) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        answer.status = int(head[0].split()[1])
        answer.headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        length = answer.headers.get("content-length")
        if length is not None:
            while len(answer.body) < int(length):
                await self._more(reader, answer, int(length) - len(answer.body))
            answer.whole = True
            progress(answer)
            return
        while progress(answer):
            size = int(await reader.readuntil(b"\r\n"), 16)
            wanted = len(answer.body) + size
            while len(answer.body) < wanted:
                await self._more(reader, answer, wanted - len(answer.body))
            await reader.readexactly(2)
            if size == 0:
                answer.whole = answer.body.endswith(b"data: [DONE]\n\n")
                return

    async def _more(self, reader: asyncio.StreamReader, answer: Answer, most: int) -> None:
        data = await reader.read(most)
        if not data:
            raise ConnectionResetError("The gateway closed the connection in mid-answer.")
        answer.body += data


def chat_body(model: str = "fast", **fields: Any) -> bytes:
    """A chat request as JSON."""
    base = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    return json.dumps(base | fields).encode()
