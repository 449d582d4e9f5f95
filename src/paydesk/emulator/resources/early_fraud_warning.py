"""Early fraud warnings: a bank suspects a payment, and says so before anybody disputes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import listing, retrieve
from paydesk.emulator.resources import charge

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

EARLY_FRAUD_WARNING = Kind(
    "radar.early_fraud_warning",
    "issfr_",
    missing="No such early fraud warning: '%s'",
    missing_param="early_fraud_warning",
    filters=("charge", "payment_intent"),
    references={"charge": "charge", "payment_intent": "payment_intent"},
)


def _open(world: World, subject: str) -> None:
    suspected = world.get("charge", subject)
    world.add(
        Document(
            {
                "id": world.mint("issfr_"),
                "object": "radar.early_fraud_warning",
                "actionable": True,
                "charge": suspected.id,
                "created": world.wall,
                "fraud_type": "misc",
                "livemode": world.livemode,
                "payment_intent": suspected["payment_intent"],
            }
        ),
        "radar.early_fraud_warning.created",
    )


KINDS = (EARLY_FRAUD_WARNING,)
ROUTES = (
    retrieve("/v1/radar/early_fraud_warnings/{early_fraud_warning}", EARLY_FRAUD_WARNING),
    listing("/v1/radar/early_fraud_warnings", EARLY_FRAUD_WARNING, filters="charge payment_intent"),
)
TASKS: dict[str, Any] = {charge.SUSPECT: _open}
