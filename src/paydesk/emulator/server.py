"""Serving the local Stripe: on loopback, until it is told to stop."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import uvicorn

from paydesk.emulator.app import create_app
from paydesk.emulator.kernel.kernel import Options

if TYPE_CHECKING:
    from pathlib import Path

PORT = 12111
LOOPBACK = "127.0.0.1"


def listen(port: int, host: str = LOOPBACK) -> socket.socket:
    """A listening socket, so that the port is known (and taken) before anything is printed. Port 0 picks a free one.

    Raises:
        OSError: The port is taken, or the host is not this machine's.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.listen(1024)
    return listening


def url_of(listening: socket.socket) -> str:
    """Where a listening socket can be reached."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(listening: socket.socket, folder: Path | None, options: Options = Options()) -> None:
    """Answer on this socket until interrupted."""
    app = create_app(folder, replace(options, base_url=url_of(listening)))
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", server_header=False)
    uvicorn.Server(config).run(sockets=[listening])
