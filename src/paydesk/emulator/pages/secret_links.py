"""Secret links: `/{account}/{mode}_{id}{secret}`, for whoever was sent one. Nobody can guess them."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.requests import Request

    from paydesk.emulator.kernel.kernel import Kernel
    from paydesk.emulator.kernel.kinds import Kind
    from paydesk.emulator.kernel.sandboxes import Sandbox
    from paydesk.emulator.kernel.world import World

# The id stands there without its prefix.
_ID_LENGTH: Final = 24


def found(kernel: Kernel, kind: Kind, request: Request) -> tuple[Sandbox, str] | None:
    """The sandbox and the id of what the address names, if it also has its secret."""
    token = request.path_params["token"].partition("_")[2]
    identifier = kind.prefix + token[:_ID_LENGTH]
    sandbox = kernel.sandboxes.holding(kind.name, identifier)
    if sandbox is None or sandbox.account != request.path_params["account"]:
        return None
    secret = kernel.within(sandbox, lambda world: _secret(world, kind, identifier))
    return (sandbox, identifier) if hmac.compare_digest(token.encode(), secret.encode()) and secret else None


def _secret(world: World, kind: Kind, identifier: str) -> str:
    document = world.find(kind.name, identifier)
    return "" if document is None else str(document.private.get("secret", ""))
