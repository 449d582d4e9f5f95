"""Setup attempts: each try of a setup intent, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import listing
from paydesk.emulator.rules.confirming import ThreeDSecure, three_d_secure_hash

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.rules.instrument import Instrument

SETUP_ATTEMPT = Kind(
    "setup_attempt",
    "setatt_",
    filters=("setup_intent",),
    references={"customer": "customer", "payment_method": "payment_method", "setup_intent": "setup_intent"},
)


def new(
    world: World,
    intent: Document,
    instrument: Instrument,
    status: str,
    *,
    three_d_secure: ThreeDSecure | None = None,
    error: dict[str, Any] | None = None,
) -> Document:
    """Note a try: `status` is `requires_action`, `succeeded` or `failed`."""
    return world.add(
        Document(
            {
                "id": world.mint("setatt_"),
                "object": "setup_attempt",
                "application": None,
                "created": world.wall,
                "customer": intent["customer"],
                "customer_account": None,
                "flow_directions": None,
                "livemode": world.livemode,
                "on_behalf_of": None,
                "payment_method": instrument.id,
                "payment_method_details": _details(intent, instrument, three_d_secure),
                "setup_error": error,
                "setup_intent": intent.id,
                "status": status,
                "usage": intent["usage"],
            }
        )
    )


def finish(
    world: World, attempt: Document, status: str, *, three_d_secure: ThreeDSecure | None = None, error: Any = None
) -> None:
    """A try that waited for the payer is over."""
    attempt["status"] = status
    attempt["setup_error"] = error
    if three_d_secure is not None:
        attempt["payment_method_details"]["card"]["three_d_secure"] = _shown(three_d_secure, attempt["setup_intent"])
    world.save(attempt)


def _details(intent: Document, instrument: Instrument, how: ThreeDSecure | None) -> dict[str, Any]:
    if instrument.type != "card":
        return {instrument.type: {}, "type": instrument.type}
    names = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    parts = {name: instrument.shown[name] for name in names}
    parts |= {"network": instrument.shown["brand"], "three_d_secure": _shown(how, intent.id), "wallet": None}
    return {"card": parts, "type": "card"}


def _shown(how: ThreeDSecure | None, seed: str) -> dict[str, Any] | None:
    shown = three_d_secure_hash(how, seed)
    # Exemptions are for payments: a setup attempt has no such key.
    return None if shown is None else {name: value for name, value in shown.items() if name != "exemption_indicator"}


KINDS = (SETUP_ATTEMPT,)
ROUTES = (listing("/v1/setup_attempts", SETUP_ATTEMPT, filters="setup_intent"),)
TASKS: dict[str, Any] = {}
