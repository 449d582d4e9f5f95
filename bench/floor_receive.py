"""The floor under receiving: verify, insert, group commit, answer, and nothing else."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from paydesk.emulator.server import listen, url_of

TABLE = "CREATE TABLE IF NOT EXISTS floor_events (id TEXT PRIMARY KEY, type TEXT NOT NULL, payload TEXT NOT NULL)"
Row = tuple[str, str, str]


def sqlite_writer(path: str) -> Callable[[list[Row]], None]:
    """Insert a group of rows with one commit, each flushed to disk."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute(TABLE)

    def write(rows: list[Row]) -> None:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO floor_events VALUES (?, ?, ?) ON CONFLICT DO NOTHING", rows)
        db.execute("COMMIT")

    return write


def postgres_writer(url: str) -> Callable[[list[Row]], None]:
    """The same, in one statement."""
    db = psycopg.connect(url, autocommit=True)
    db.execute(TABLE)
    insert = (
        "INSERT INTO floor_events SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]) ON CONFLICT (id) DO NOTHING"
    )

    def write(rows: list[Row]) -> None:
        db.execute(insert, [list(column) for column in zip(*rows, strict=True)], prepare=True)

    return write


class Group:
    """One thread that writes whatever queued up while it last wrote."""

    def __init__(self, write: Callable[[list[Row]], None]) -> None:
        self._write = write
        self._waiting: list[tuple[Row, asyncio.Future[None]]] = []
        self._some = threading.Condition()
        threading.Thread(target=self._run, daemon=True).start()

    async def insert(self, row: Row) -> None:
        """Returns once the row is committed."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._some:
            self._waiting.append((row, future))
            self._some.notify()
        await future

    def _run(self) -> None:
        while True:
            with self._some:
                while not self._waiting:
                    self._some.wait()
                group, self._waiting = self._waiting, []
            self._write([row for row, _ in group])
            group[0][1].get_loop().call_soon_threadsafe(_done, [future for _, future in group])


def _done(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        future.set_result(None)


def app(url: str, secret: str, framework: str) -> Starlette:
    """POST /webhooks/stripe, as bare as it can be and still be safe."""
    writer = sqlite_writer(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else postgres_writer(url)
    group = Group(writer)

    async def receive(request: Request) -> Response:
        body = await request.body()
        fields = dict(part.split("=", 1) for part in request.headers["stripe-signature"].split(","))
        expected = hmac.new(secret.encode(), fields["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, fields["v1"]) or time.time() - int(fields["t"]) > 300:
            return Response(status_code=400)
        event: dict[str, Any] = json.loads(body)
        await group.insert((event["id"], event["type"], body.decode()))
        return JSONResponse({"received": True})

    if framework == "FastAPI":
        bare = FastAPI()
        bare.add_route("/webhooks/stripe", receive, methods=["POST"])
        return bare
    return Starlette(routes=[Route("/webhooks/stripe", receive, methods=["POST"])])


def main(url: str, secret: str, framework: str) -> None:
    """Serve on a free port."""
    listening = listen(0)
    print(f"The floor listens on {url_of(listening)}", flush=True)
    config = uvicorn.Config(
        app(url, secret, framework), log_config=None, access_log=False, server_header=False, proxy_headers=False
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(*sys.argv[1:])
