"""The floor under the local Stripe: the same server and decoder, one SQLite row, and nothing else."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paydesk.emulator.kernel import form
from paydesk.emulator.server import listen, url_of


def app(path: Path) -> Starlette:
    """POST decodes a form and commits one row; GET reads one row."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("CREATE TABLE things (id TEXT PRIMARY KEY, body TEXT NOT NULL)")

    async def create(request: Request) -> Response:
        params = form.decode(await request.body())
        text = json.dumps(params)
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO things VALUES (lower(hex(randomblob(12))), ?)", (text,))
        db.execute("COMMIT")
        return Response(text, media_type="application/json")

    async def read(request: Request) -> Response:
        row = db.execute("SELECT body FROM things WHERE id = ?", (request.path_params["id"],)).fetchone()
        return Response(row[0], media_type="application/json")

    db.execute("INSERT INTO things VALUES ('one', ?)", (json.dumps({"id": "one", "filler": "x" * 700}),))
    return Starlette(routes=[Route("/things", create, methods=["POST"]), Route("/things/{id}", read)])


def main(folder: str) -> None:
    """Serve on a free port, with the database in `folder`."""
    listening = listen(0)
    print(f"The floor listens on {url_of(listening)}", flush=True)
    config = uvicorn.Config(
        app(Path(folder) / "floor.db"), log_config=None, access_log=False, server_header=False, proxy_headers=False
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(sys.argv[1])
