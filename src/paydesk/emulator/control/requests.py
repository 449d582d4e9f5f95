"""`/_local/requests`: what was asked and what was answered. Error bodies point here (`request_log_url`)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.routing import Route

from paydesk.emulator.control.door import answer, fields, gone

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.control.door import Door

LIMIT_DEFAULT = 20
LIMIT_MAX = 100


def routes(door: Door) -> list[Route]:
    async def newest(request: Request) -> Response:
        sandbox = door.sandbox(request)
        given = await fields(request)
        limit = given.whole("limit", LIMIT_DEFAULT, least=1, most=LIMIT_MAX)
        given.end()
        door.kernel.request_log.flush()
        rows = door.kernel.store.db.execute(
            "SELECT id, method, path, status, idempotency_key, created, duration_us FROM requests "
            "WHERE sandbox = ? ORDER BY seq DESC LIMIT ?",
            (sandbox.number, limit),
        )
        names = [column[0] for column in rows.description]
        return answer({"requests": [dict(zip(names, row, strict=True)) for row in rows]})

    async def one(request: Request) -> Response:
        # Nobody can guess a request's id: whoever has the link may follow it, as a browser does, without a key.
        found = door.kernel.request_log.find(request.path_params["id"])
        if found is None:
            raise gone(f"No such request: '{request.path_params['id']}'. The oldest ones are forgotten.")
        return answer(found | {"answer": json.loads(found["answer"])})

    return [Route("/requests", newest), Route("/requests/{id}", one)]
