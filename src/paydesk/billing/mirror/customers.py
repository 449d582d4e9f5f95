"""Customers: Stripe's customer joined to the app's user, whichever answer arrives first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from paydesk.billing.mirror.mirrored import Mirrored, Writing, always, moment

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from paydesk.billing.facts import Fact
    from paydesk.billing.mirror.refs import Json
    from paydesk.billing.store.store import Store

# The user's id is written here when we make a customer, so that its webhook finds the user before our own answer does.
USER_KEY = "paydesk_user"


def apply(writing: Writing, customer: Json) -> list[Fact]:
    """Write the customer; fill in the row its user has claimed, if there is one."""
    stripe_id, customers = customer["id"], writing.tables.customers
    user_id = (customer.get("metadata") or {}).get(USER_KEY)
    if user_id and writing.owner(stripe_id) is None:
        link(writing.store, writing.connection, user_id, stripe_id)
    if customer.get("deleted"):
        row = {"stripe_id": stripe_id, "deleted_at": writing.now}
    else:
        row = {
            "stripe_id": stripe_id,
            "email": customer.get("email"),
            "name": customer.get("name"),
            "livemode": customer.get("livemode"),
        }
    times = {"created_at": moment(customer.get("created")) or writing.now, "updated_at": writing.now}
    writing.put(customers, {**row, **times}, customer, on="stripe_id", keep=("created_at",))
    return []


def link(store: Store, connection: Connection, user_id: str, stripe_id: str) -> None:
    """Join the row that a user has claimed to the Stripe customer that was made for it.

    The webhook about a new customer and our own answer from Stripe race each other; both come here or to the same end.
    A user who is already linked to a living customer stays with it. Without a claim the customer is not of our making,
    whatever its metadata says: two apps may share one Stripe account.
    """
    customers = store.tables.customers
    by_customer = store.locked(select(customers).where(customers.c.stripe_id == stripe_id))
    by_user = store.locked(select(customers).where(customers.c.user_id == user_id))
    known = connection.execute(by_customer).mappings().one_or_none()
    claimed = connection.execute(by_user).mappings().one_or_none()
    if claimed is None or claimed["stripe_id"] is not None or (known and known["user_id"]):
        return
    if known and known["deleted_at"] is not None:
        return  # late news of the customer that is gone: the claim is for the next one
    if known:
        connection.execute(delete(customers).where(customers.c.id == known["id"]))
    connection.execute(update(customers).where(customers.c.id == claimed["id"]).values(stripe_id=stripe_id))
    for owned in (store.tables.subscriptions, store.tables.invoices):
        unowned = update(owned).where(owned.c.customer_id == stripe_id, owned.c.user_id.is_(None))
        connection.execute(unowned.values(user_id=user_id))


CUSTOMERS = Mirrored(
    type="customer",
    path="/v1/customers/{}",
    apply=apply,
    table=lambda tables: tables.customers,
    key="stripe_id",
    is_whole=always,
    is_deletable=True,
)
