"""Billing settings: what a business chooses in Stripe's Dashboard about money that does not come. A set per sandbox.

No SDK knows them; here they are read and changed at `/_local/settings/billing`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.rules.dunning import Settings

if TYPE_CHECKING:
    from paydesk.emulator.kernel.routes import Route
    from paydesk.emulator.kernel.world import World

BILLING_SETTINGS = Kind("local.billing_settings", "")
_ONLY: Final = "billing"


def of(world: World) -> Settings:
    """What was chosen in a sandbox, or what Stripe begins with."""
    kept = world.find(BILLING_SETTINGS.name, _ONLY)
    if kept is None:
        return Settings()
    chosen = kept["settings"]
    return Settings(**chosen | {"retry_days": tuple(chosen["retry_days"])})


def choose(world: World, settings: Settings) -> None:
    """Keep a choice. What is on the agenda already stays there."""
    kept = world.find(BILLING_SETTINGS.name, _ONLY)
    if kept is None:
        world.add(Document({"id": _ONLY, "object": BILLING_SETTINGS.name, "settings": asdict(settings)}))
        return
    kept["settings"] = asdict(settings)
    world.save(kept)


KINDS = (BILLING_SETTINGS,)
ROUTES: tuple[Route, ...] = ()
TASKS: dict[str, Any] = {}
