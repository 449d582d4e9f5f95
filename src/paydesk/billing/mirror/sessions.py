"""Checkout Sessions: each was opened for an order, or for somebody who subscribes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.billing.mirror import orders, signups
from paydesk.billing.mirror.mirrored import Mirrored, Writing

if TYPE_CHECKING:
    from paydesk.billing.facts import Fact
    from paydesk.billing.mirror.refs import Json


def apply(writing: Writing, session: Json) -> list[Fact]:
    """Write the session where it belongs. One that none of ours asked for leaves nothing."""
    if session.get("mode") == "subscription":
        signups.apply(writing, session)
        return []
    return orders.apply(writing, session)


SESSIONS = Mirrored(
    type="checkout.session",
    path="/v1/checkout/sessions/{}",
    expand=("payment_intent",),
    apply=apply,
    table=lambda tables: tables.orders,
    key="session_id",
    parts=lambda tables: (tables.signups.c.session_id,),
)
