"""Arrears: since when the payment for a subscription is missing, and what time it is by what Stripe told since.

Both by Stripe's clock. Days of grace are counted on it, so that they run out in a sandbox whose clock is pushed, and
do not begin anew when we hear of a failure late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from paydesk.billing.facts.subscriptions import IN_ARREARS
from paydesk.billing.mirror import shapes
from paydesk.billing.mirror.mirrored import moment
from paydesk.billing.mirror.refs import id_of

if TYPE_CHECKING:
    from datetime import datetime

    from paydesk.billing.mirror.mirrored import Writing
    from paydesk.billing.mirror.refs import Json


def heard_at(writing: Writing, subscription: Json, before: Json | None) -> datetime | None:
    """The latest time at Stripe that is known: a period that is paid for, or asked for, has begun."""
    began_at = moment(shapes.period_of(subscription)[0])
    return latest(moment(writing.seen_at), began_at, before["heard_at"] if before is not None else None)


def past_due_since(writing: Writing, subscription: Json, before: Json | None) -> datetime | None:
    """Since when its payment is missing, from the first time it is seen so until it is in order again.

    Stripe does not say; the invoice does. Where that is not here yet, it is when Stripe told, and the invoice mends it.
    """
    if subscription["status"] not in IN_ARREARS:
        return None
    if before is not None and before["past_due_since"] is not None:
        since: datetime = before["past_due_since"]
        return since
    invoice = writing.row(writing.tables.invoices, id_of(subscription.get("latest_invoice")))
    asked_at = moment(shapes.missing_since(invoice["object"])) if invoice is not None else None
    told_at = moment(writing.seen_at)
    return asked_at or told_at or latest(writing.now, heard_at(writing, subscription, before))


def hear(writing: Writing, subscription: Json, invoice: Json) -> Json:
    """The subscription's row, after an invoice of it was told: time goes on, and what is missing has a date."""
    if subscription["status"] not in IN_ARREARS:
        return subscription
    heard = latest(subscription["heard_at"], moment(writing.seen_at), moment(invoice["created"]))
    since = subscription["past_due_since"]
    asked_at = moment(shapes.missing_since(invoice))
    if invoice["id"] == subscription["latest_invoice_id"] and asked_at is not None:
        since = min(asked_at, since or asked_at)
    changes = {"heard_at": heard, "past_due_since": since}
    if any(subscription[name] != value for name, value in changes.items()):
        table = writing.tables.subscriptions
        writing.connection.execute(update(table).where(table.c.id == subscription["id"]).values(**changes))
    return {**subscription, **changes}


def latest(*moments: datetime | None) -> datetime | None:
    return max((each for each in moments if each is not None), default=None)
