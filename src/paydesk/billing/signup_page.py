"""The page of a sign-up: opening it, and closing it for another."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import stripe
    from sqlalchemy import Connection

    from paydesk.billing.attempts import Attempt
    from paydesk.billing.store.store import Store


class OpenPage:
    """The write that makes the Checkout Session of a sign-up."""

    name = "signup"
    doing = "to open the page to subscribe on"

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._table = store.tables.signups
        self._now = now

    def ask(self, client: stripe.StripeClient, attempt: Attempt, options: stripe.RequestOptions) -> stripe.StripeObject:
        return client.v1.checkout.sessions.create(attempt.params, options)

    def apply(self, connection: Connection, attempt: Attempt, answer: Mapping[str, Any]) -> None:
        """Link the session. An answer repeated late is old news, so nothing the mirror has written is touched."""
        table = self._table
        linked = update(table).where(table.c.id == attempt.subject, table.c.session_id.is_(None))
        connection.execute(
            linked.values(
                session_id=answer["id"],
                session_url=answer["url"],
                expires_at=datetime.fromtimestamp(answer["expires_at"], UTC),
                updated_at=self._now(),
            )
        )

    def give_up(self, connection: Connection, attempt: Attempt) -> None:
        """There is no page: the next wish makes another sign-up."""
        table = self._table
        unmade = (table.c.id == attempt.subject, table.c.status == "open", table.c.session_id.is_(None))
        connection.execute(update(table).where(*unmade).values(status="failed", updated_at=self._now()))


class ClosePage:
    """The write that expires a Checkout Session, so that nobody can subscribe on it any more."""

    name = "signup_close"
    doing = "to close the page for another plan"

    def ask(self, client: stripe.StripeClient, attempt: Attempt, options: stripe.RequestOptions) -> stripe.StripeObject:
        return client.v1.checkout.sessions.expire(attempt.subject, attempt.params, options)

    def apply(self, connection: Connection, attempt: Attempt, answer: Mapping[str, Any]) -> None:
        """Nothing here: the mirror reads the session, under its lane."""

    def give_up(self, connection: Connection, attempt: Attempt) -> None:
        """It was not open any more."""
