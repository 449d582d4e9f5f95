"""Events by Stripe's own names, as an app's handler gets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class StripeEvent:
    """An event by Stripe's own name, for a handler of `desk.on("invoice.payment_failed")`.

    `object` is Stripe's snapshot of the moment it happened, in the API version of the webhook endpoint. The mirror may
    know better by now. `created` is Stripe's stamp, in unix seconds.
    """

    id: str
    type: str
    created: int
    livemode: bool
    object: dict[str, Any]
    previous_attributes: dict[str, Any]
    idempotency_key: str = field(default="", compare=False)

    @classmethod
    def from_json(cls, event: Mapping[str, Any], idempotency_key: str = "") -> Self:
        """The event in a webhook's body."""
        return cls(
            id=event["id"],
            type=event["type"],
            created=event["created"],
            livemode=event["livemode"],
            object=event["data"]["object"],
            previous_attributes=event["data"].get("previous_attributes") or {},
            idempotency_key=idempotency_key,
        )
