"""`POST /_local/copy`: a sandbox that begins as another one stands.

What every test needs (a catalog, a customer) is made once; each test's own sandbox is a copy, made in a moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from paydesk.emulator.control.door import answer, fields
from paydesk.emulator.kernel import auth
from paydesk.emulator.kernel.errors import invalid

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.control.door import Door


def routes(door: Door) -> list[Route]:
    async def copy(request: Request) -> Response:
        sandbox = door.sandbox(request)
        given = await fields(request)
        key = auth.read(f"Bearer {given.text('from')}")
        given.end()
        sandboxes = door.kernel.sandboxes
        source = sandboxes.open(key.name, livemode=key.livemode)
        if key.kind != "sk" or key.livemode != sandbox.livemode:
            raise invalid("Name the secret key of a sandbox of the same mode (sk_test_…).", param="from")
        if source == sandbox or not sandboxes.is_empty(sandbox):
            raise invalid("Only an empty sandbox can begin as another one stands. Take a key that nobody used yet.")
        sandboxes.copy(source, sandbox)
        return answer({"status": "copied"})

    return [Route("/copy", copy, methods=["POST"])]
