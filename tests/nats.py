"""A real NATS server with JetStream for the tests: Debian's, on loopback, gone with the process that started it."""

from __future__ import annotations

import asyncio
import ctypes
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Read:
    """A message as a reader finds it in a stream."""

    id: str
    subject: str
    body: bytes


class Nats:
    """A server that keeps its streams in a folder, also when it is killed and started again."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("nats-server") or "/usr/sbin/nats-server"
        self._port = _free_port()
        self.url = f"nats://127.0.0.1:{self._port}"
        address = ["-a", "127.0.0.1", "-p", str(self._port)]
        self._command = [program, *address, "-js", "-sd", str(folder), "-l", str(folder / "log")]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, preexec_fn=_die_with_parent)
        until(self._is_up, "NATS")

    def kill(self) -> None:
        """As a power cut would. Does nothing to one that is not there."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def make_stream(self, name: str, subject: str, **options: Any) -> None:
        async def make(context: Any) -> None:
            await context.add_stream(name=name, subjects=[subject], **options)

        self._ask(make)

    def publish(self, subject: str, body: bytes, name: str) -> None:
        """As a stranger would."""

        async def publish(context: Any) -> None:
            await context.publish(subject, body, headers={"Nats-Msg-Id": name})

        self._ask(publish)

    def has_forgotten(self, name: str, stream: str = "PAYDESK") -> bool:
        """Whether the server would take a message of this id again: asked with one that it refuses either way."""

        async def ask(context: Any) -> bool:
            subject = (await context.stream_info(stream)).config.subjects[0].replace(">", "probe")
            try:
                headers = {"Nats-Msg-Id": name, "Nats-Expected-Last-Sequence": "999999"}
                await context.publish(subject, b"", headers=headers)
            except Exception:
                return True
            return False

        answer: bool = self._ask(ask)
        return answer

    def messages(self, stream: str = "PAYDESK") -> list[Read]:
        """All that is in a stream, in its order."""

        async def read(context: Any) -> list[Read]:
            state = (await context.stream_info(stream)).state
            places = range(state.first_seq, state.last_seq + 1) if state.messages else ()
            found = [await context.get_msg(stream, place) for place in places]
            return [Read(message.headers["Nats-Msg-Id"], message.subject, message.data) for message in found]

        answer: list[Read] = self._ask(read)
        return answer

    def _ask(self, question: Any) -> Any:
        async def ask() -> Any:
            import nats

            client = await nats.connect(self.url, allow_reconnect=False)
            try:
                return await question(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(ask())

    def _is_up(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
