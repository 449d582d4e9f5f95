"""Sign-ups: a Checkout Session in which somebody subscribes, and how far they have come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select, update

from paydesk.billing.mirror.mirrored import Parked, Writing, moment
from paydesk.billing.mirror.refs import id_of

if TYPE_CHECKING:
    from paydesk.billing.mirror.refs import Json

# Under this key a sign-up's id travels in the metadata of its Checkout Session and of the subscription.
SIGNUP_KEY = "paydesk_signup"


def apply(writing: Writing, session: Json) -> None:
    """Note how far it has come. What the subscription is, its own events tell.

    Raises Parked if the session names a sign-up that is not here, or not yet.
    """
    table = writing.tables.signups
    carried: str | None = (session.get("metadata") or {}).get(SIGNUP_KEY)
    mine = or_(table.c.session_id == session["id"], table.c.id == carried)
    row = writing.connection.execute(writing.store.locked(select(table).where(mine))).mappings().first()
    if row is None:
        if carried is not None:
            raise Parked(f"the session carries the sign-up {carried}, which is not here yet")
        return
    changes = {
        "status": status_of(row["status"], session),
        "session_id": session["id"],
        "session_url": session.get("url"),
        "expires_at": moment(session.get("expires_at")) or row["expires_at"],
        "subscription_id": id_of(session.get("subscription")) or row["subscription_id"],
        "object": session,
        "seen_at": writing.seen_at,
        "payload_at": writing.payload_at,
        "updated_at": writing.now,
    }
    writing.connection.execute(update(table).where(table.c.id == row["id"]).values(**changes))


def status_of(status: str, session: Json) -> str:
    """What the sign-up's status becomes. One that was given up may still be completed; nothing takes that back."""
    if status == "complete" or session["status"] == "complete":
        return "complete"
    return "expired" if session["status"] == "expired" else status
