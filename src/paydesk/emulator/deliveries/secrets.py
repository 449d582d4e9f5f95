"""An endpoint's signing secrets: the one it has, and for a while the one it had before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

PREFIX = "whsec_"
OVERLAP_SECONDS_MAX = 24 * 3600


def give(world: World, endpoint: Document) -> str:
    """Mint an endpoint's first secret."""
    secret = world.mint(PREFIX)
    endpoint.private["secret"] = secret
    endpoint.private["former"] = []
    return secret


def roll(world: World, endpoint: Document, overlap_seconds: int) -> str:
    """Mint a new secret; the old one goes on signing beside it for so long. Gives back the new one."""
    former = [entry for entry in endpoint.private["former"] if entry["until"] > world.wall]
    if overlap_seconds > 0:
        former.append({"secret": endpoint.private["secret"], "until": world.wall + overlap_seconds})
    secret = give(world, endpoint)
    endpoint.private["former"] = former
    world.save(endpoint)
    return secret


def valid(endpoint: Document, now: int) -> list[str]:
    """The secrets that sign at this time, the newest first."""
    former = [entry["secret"] for entry in endpoint.private["former"] if entry["until"] > now]
    return [endpoint.private["secret"], *reversed(former)]
