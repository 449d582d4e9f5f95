"""Who pays: each user of the app is one customer at Stripe, under any race.

The user's row is claimed and the attempt to create the customer is committed
before Stripe is asked. Two tabs, two workers, two machines find the same row,
send the same key, and get the same customer.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import select, update

from paydesk.billing.mirror.customers import USER_KEY, link
from paydesk.errors import StripeRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    import stripe
    from sqlalchemy import Connection, Row

    from paydesk.billing.attempts import Attempt, Attempts
    from paydesk.billing.store.store import Store


class Payer(Protocol):
    """What paydesk asks of an app's user: an id that never changes, and an e-mail address if there is one."""

    @property
    def id(self) -> object: ...
    @property
    def email(self) -> str | None: ...


@dataclass(frozen=True)
class User:
    """A user, for apps whose own class has no `id` and `email`."""

    id: str
    email: str | None = None


class Customers:
    """The link between the app's users and Stripe's customers."""

    def __init__(self, store: Store, attempts: Attempts, *, livemode: bool, now: Callable[[], datetime]) -> None:
        self._store = store
        self._table = store.tables.customers
        self._attempts = attempts
        self._livemode = livemode
        self._now = now
        self.verb = CreateCustomer(store, now)

    def known_id(self, user: Payer) -> str | None:
        """The id of the user's customer at Stripe, if there is one already."""
        return self.known_id_of(str(user.id))

    def known_id_of(self, user_id: str) -> str | None:
        """The same, for a user of whom only the id is known."""
        with self._store.read() as connection:
            row = connection.execute(select(self._table).where(self._table.c.user_id == user_id)).first()
        return str(row.stripe_id) if row is not None and row.stripe_id is not None and self._is_usable(row) else None

    def stripe_id(self, user: Payer) -> str:
        """The id of the user's customer at Stripe, which is created now if there is none. May call Stripe."""
        user_id = str(user.id)
        if (known := self.known_id(user)) is not None:
            return known
        with self._store.write() as connection:
            row = self._claimed(connection, user)
            if row.stripe_id is not None:
                return str(row.stripe_id)
            params = {"metadata": {USER_KEY: user_id}} | ({"email": user.email} if user.email else {})
            attempt = self._attempts.open(connection, self.verb, user_id, params)
        return str(self._attempts.finish(attempt)["id"])

    @contextmanager
    def asked_about(self, customer_id: str | None) -> Iterator[None]:
        """Stripe is asked about this customer. If it is gone there, it is forgotten, and a purchase makes another.

        It is named, for the user may have another one by now: somebody else was told the same a moment ago.
        """
        try:
            yield
        except StripeRefused as refusal:
            if customer_id is not None and refusal.code == "resource_missing" and refusal.param == "customer":
                self._forget(customer_id)
            raise

    def _forget(self, customer_id: str) -> None:
        now, table = self._now(), self._table
        with self._store.write() as connection:
            gone = update(table).where(table.c.stripe_id == customer_id, table.c.deleted_at.is_(None))
            connection.execute(gone.values(deleted_at=now, updated_at=now))

    def _claimed(self, connection: Connection, user: Payer) -> Row[Any]:
        """The user's row, locked, made if need be. A customer that is gone leaves its row, without the user."""
        now, table = self._now(), self._table
        user_id = str(user.id)
        mine = select(table).where(table.c.user_id == user_id)
        row = connection.execute(self._store.locked(mine)).first()
        if row is not None and self._is_usable(row):
            return row
        if row is not None:
            connection.execute(update(table).where(table.c.id == row.id).values(user_id=None, updated_at=now))
        claim = {"user_id": user_id, "email": user.email, "livemode": self._livemode}
        self._store.insert_new(connection, table, {**claim, "created_at": now, "updated_at": now})
        return connection.execute(self._store.locked(mine)).one()

    def _is_usable(self, row: Row[Any]) -> bool:
        """Customers end with their deletion at Stripe, and do not exist in the other mode."""
        return row.deleted_at is None and row.livemode in {None, self._livemode}


class CreateCustomer:
    """The write that makes a customer at Stripe for the row of a user."""

    name = "customer"
    doing = "to create the customer"

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._table = store.tables.customers
        self._now = now

    def ask(self, client: stripe.StripeClient, attempt: Attempt, options: stripe.RequestOptions) -> stripe.StripeObject:
        return client.v1.customers.create(attempt.params, options)

    def apply(self, connection: Connection, attempt: Attempt, answer: Mapping[str, Any]) -> None:
        user_id, table = attempt.subject, self._table
        link(self._store, connection, user_id, answer["id"])
        # Only where the mirror has not written yet: an answer repeated late is old news.
        unknown = update(table).where(table.c.stripe_id == answer["id"], table.c.object.is_(None))
        connection.execute(
            unknown.values(
                email=answer.get("email"),
                name=answer.get("name"),
                livemode=answer.get("livemode"),
                object=dict(answer),
                updated_at=self._now(),
            )
        )

    def give_up(self, connection: Connection, attempt: Attempt) -> None:
        """The claim stays: the next purchase tries again under a new key."""
