"""JetStream, as the relay needs it: messages at the end of one stream, in order, or not at all.

Each message says which place in the stream it is for, and which message it comes behind. If that one was lost, or
somebody else wrote meanwhile, the server refuses it and all that follow: what is in the stream is always the beginning
of what was sent.
"""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from paydesk.errors import ConfigurationError, RelayUnavailable

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from concurrent.futures import Future

    from nats.aio.client import Client
    from nats.js import JetStreamContext

Answer = TypeVar("Answer")

CONNECT_SECONDS = 5
ANSWER_SECONDS = 10.0
# JetStream forgets by itself whatever it has seen for longer; the relay does not depend on it.
DUPLICATES_SECONDS = 600.0

ID = "Nats-Msg-Id"
STREAM = "Nats-Expected-Stream"
PLACE = "Nats-Expected-Last-Sequence"
PREVIOUS = "Nats-Expected-Last-Msg-Id"
NOT_THE_END = (10070, 10071)  # not behind that message; not in that place


class NotTheEnd(Exception):
    """The stream does not end where it was thought to. Nothing after that was written."""


@dataclass(frozen=True)
class Message:
    """One fact on its way. Its `id` is the fact's key, by which a reader knows it again."""

    id: str
    subject: str
    body: bytes


@dataclass(frozen=True)
class StreamConfig:
    """Where to: the servers' URLs, comma-separated, and the stream, which is the relay's alone.

    A URL may hold a password, and is not shown.
    """

    url: str = field(repr=False)
    stream: str = "PAYDESK"
    subject: str = "paydesk"
    replicas: int = 1
    credentials: str | None = field(default=None, repr=False)

    @property
    def urls(self) -> list[str]:
        return [url.strip() for url in self.url.split(",")]


class JetStream:
    """A connection, and the loop it lives on. Safe to use from one thread at a time.

    Raises ConfigurationError where NATS's client is missing, and for what is no address.
    """

    def __init__(self, config: StreamConfig) -> None:
        if not all(_is_address(url) for url in config.urls):
            raise ConfigurationError(
                ["NATS_URL is no address such as nats://user:password@host:4222. In a password, write # as %23."]
            )
        try:
            import nats
        except ImportError as error:
            mistake = f"The relay needs NATS's client, which is missing ({error}): pip install paydesk[nats]"
            raise ConfigurationError([mistake]) from error
        self._nats = nats
        self.config = config
        self._client: Client | None = None
        self._is_gone = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="paydesk-nats", daemon=True)
        self._thread.start()

    def end(self, newest: int) -> tuple[int, set[str]]:
        """Where the stream ends, and the ids of its `newest` messages. Makes the stream if there is none.

        Raises RelayUnavailable.
        """
        return self._asked(self._end(newest))

    def append(self, messages: Sequence[Message], after: int) -> int:
        """Write the messages behind the one in place `after`; answers the last one's place.

        Raises NotTheEnd, with the first few of them written or none; and RelayUnavailable, when nobody knows.
        """
        return self._asked(self._append(messages, after))

    def close(self) -> None:
        """Hang up."""
        self._soon(self._hang_up()).result(ANSWER_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _asked(self, question: Coroutine[Any, Any, Answer]) -> Answer:
        """Raises RelayUnavailable, after which the next question gets a new connection."""
        try:
            return self._soon(self._answered(question)).result()
        except (OSError, TimeoutError, self._nats.errors.Error) as error:
            self._soon(self._hang_up()).result()
            raise RelayUnavailable(error) from error

    async def _answered(self, question: Coroutine[Any, Any, Answer]) -> Answer:
        """The answer, unless the connection breaks first: messages under way would wait for theirs for ever."""
        asking, breaking = asyncio.ensure_future(question), asyncio.ensure_future(self._is_gone.wait())
        limit = CONNECT_SECONDS + ANSWER_SECONDS
        await asyncio.wait({asking, breaking}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        reason = "the connection broke" if breaking.done() else f"no answer within {limit:.0f} s"
        breaking.cancel()
        if not asking.done():
            asking.cancel()
            raise ConnectionError(reason)
        return asking.result()

    def _soon(self, coroutine: Coroutine[Any, Any, Answer]) -> Future[Answer]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    async def _connected(self) -> JetStreamContext:
        if self._client is None:
            # A connection that breaks is not mended behind our back: what was under way must be looked up first.
            self._client = await self._nats.connect(
                self.config.urls,
                name="paydesk relay",
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0.1,
                connect_timeout=CONNECT_SECONDS,
                user_credentials=self.config.credentials,
                error_cb=_quietly,
                closed_cb=self._gone,
            )
        return self._client.jetstream(timeout=ANSWER_SECONDS)

    async def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()
        self._is_gone.clear()

    async def _gone(self) -> None:
        self._is_gone.set()

    async def _end(self, newest: int) -> tuple[int, set[str]]:
        context = await self._connected()
        state = (await self._stream(context)).state
        places = range(max(state.first_seq, state.last_seq - newest + 1), state.last_seq + 1)
        ids = await asyncio.gather(*(self._id_at(context, place) for place in places if state.messages))
        return state.last_seq, {name for name in ids if name is not None}

    async def _stream(self, context: JetStreamContext) -> Any:
        from nats.js.api import StorageType, StreamConfig
        from nats.js.errors import NotFoundError

        try:
            return await context.stream_info(self.config.stream)
        except NotFoundError:
            return await context.add_stream(
                StreamConfig(
                    name=self.config.stream,
                    subjects=[f"{self.config.subject}.>"],
                    storage=StorageType.FILE,
                    num_replicas=self.config.replicas,
                    duplicate_window=DUPLICATES_SECONDS,
                )
            )

    async def _id_at(self, context: JetStreamContext, place: int) -> str | None:
        """None where somebody deleted it."""
        from nats.js.errors import NotFoundError

        try:
            message = await context.get_msg(self.config.stream, place)
        except NotFoundError:
            return None
        return (message.headers or {}).get(ID)

    async def _append(self, messages: Sequence[Message], after: int) -> int:
        """They leave in this order, and each is answered for itself."""
        await self._connected()
        client = cast("Client", self._client)
        inbox = client.new_inbox()
        answers = await client.subscribe(f"{inbox}.*")
        try:
            previous: dict[str, str] = {}
            for place, message in enumerate(messages, start=after):
                headers = {ID: message.id, STREAM: self.config.stream, PLACE: str(place), **previous}
                await client.publish(message.subject, message.body, reply=f"{inbox}.{place}", headers=headers)
                previous = {PREVIOUS: message.id}
            for _ in messages:
                _check((await answers.next_msg(ANSWER_SECONDS)).data)
        finally:
            await answers.unsubscribe()
        return after + len(messages)


def _is_address(url: str) -> bool:
    """Whether it names a host, and a port that is a number if any."""
    try:
        parts = urlsplit(url if "://" in url else f"nats://{url}")
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _check(answer: bytes) -> None:
    """Raises NotTheEnd or ConnectionError unless a message was written where it belongs."""
    told = json.loads(answer) if answer else {"error": {"description": "there is no JetStream"}}
    error = told.get("error")
    if told.get("duplicate") or (error and error.get("err_code") in NOT_THE_END):
        raise NotTheEnd
    if error:
        raise ConnectionError(error["description"])


async def _quietly(_: Exception) -> None:
    """Whoever asked is told."""
