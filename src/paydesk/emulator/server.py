"""Serving the local Stripe: on loopback, until it is told to stop."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import uvicorn

from paydesk.emulator.app import create_app
from paydesk.emulator.kernel.kernel import Options

if TYPE_CHECKING:
    from pathlib import Path

    from paydesk.emulator.deliveries.sender import Attempted
    from paydesk.emulator.faults.armory import Order

PORT = 12111
LOOPBACK = "127.0.0.1"
# Requests that are made to wait on purpose are not waited for.
SHUTDOWN_SECONDS = 2


def listen(port: int, host: str = LOOPBACK) -> socket.socket:
    """A listening socket, so that the port is known (and taken) before anything is printed. Port 0 picks a free one.

    Raises:
        OSError: The port is taken, or the host is not this machine's.
        OverflowError: There is no such port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Of a socket that does not say it is TCP's, asyncio's own loop holds small answers back for forty milliseconds.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
    except (OSError, OverflowError):
        listening.close()
        raise
    return listening


def url_of(listening: socket.socket) -> str:
    """Where a listening socket can be reached from this machine."""
    host, port = listening.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = LOOPBACK
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def build(
    listening: socket.socket,
    folder: Path | None,
    options: Options = Options(),
    watch: Callable[[Attempted], None] | None = None,
    faults: Sequence[Order] = (),
) -> uvicorn.Server:
    """A server that is ready to run. `watch` is told of every attempt to deliver an event, on the server's thread.

    Raises:
        sqlite3.OperationalError: Another server owns the folder, or it cannot be written.
    """
    app = create_app(folder, replace(options, base_url=url_of(listening)), faults)
    if watch is not None:
        app.sender.watchers.append(watch)
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="on",
            server_header=False,
            # Nobody stands before us: what a request says of its origin is its own.
            proxy_headers=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
    )


def serve(server: uvicorn.Server, listening: socket.socket) -> None:
    """Answer on this socket until interrupted."""
    # uvicorn ends in order, and then raises the interruption once more.
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])


@contextmanager
def in_thread(server: uvicorn.Server, listening: socket.socket) -> Iterator[None]:
    """Answer on this socket, in a thread of its own, as long as the block lasts."""
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="local-stripe")
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
