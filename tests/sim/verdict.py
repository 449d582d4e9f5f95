"""The verdict: when everything has healed, what the app believes is what Stripe has, and nothing happened twice."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text

from paydesk.billing.mirror import MIRRORED
from paydesk.billing.mirror.customers import USER_KEY
from paydesk.billing.mirror.ledger import ORDER_KEY
from paydesk.billing.mirror.read import read
from tests.sim.app import ABROAD, EVENT, FACTS
from tests.sim.chance import SKEWS_SECONDS

CLOCK_FAST_MAX = timedelta(seconds=max(SKEWS_SECONDS))

if TYPE_CHECKING:
    from paydesk.billing.desk import Paydesk
    from tests.sim.universe import Universe


def faults(universe: Universe) -> list[str]:
    """What is wrong, a sentence each; nothing, when all is well."""
    desk = universe.machines[0].desk
    return [
        *_left_over(universe, desk),
        *_drift(desk),
        *_orders(universe, desk),
        *_doubled(universe),
        *_told(desk),
        *_events_told(universe, desk),
        # It costs as much as all the rest.
        *(_verified(desk) if universe.seed % 3 == 0 else ()),
    ]


def _left_over(universe: Universe, desk: Paydesk) -> list[str]:
    """Work that nobody finished."""
    tables = desk.store.tables
    wrong = []
    with desk.store.read() as connection:
        states = Counter(connection.scalars(select(tables.events.c.state)))
        wrong += [f"{count} events are {state}" for state, count in states.items() if state != "applied"]
        effects = Counter(connection.scalars(select(tables.effects.c.state)))
        wrong += [f"{count} effects are {state}" for state, count in effects.items() if state not in ("done", "dead")]
        attempts = Counter(connection.scalars(select(tables.attempts.c.state)))
        if attempts["open"]:
            wrong.append(f"{attempts['open']} of our own writes are still open")
        leased = connection.scalars(
            select(tables.lanes.c.lane).where(
                tables.lanes.c.lease_owner.is_not(None),
                # A machine whose clock was fast has leased it for longer than it meant to.
                tables.lanes.c.lease_expires_at > universe.moment() + CLOCK_FAST_MAX,
            )
        ).all()
        wrong += [f"the lane {lane} is still leased" for lane in leased]
    return wrong


def _drift(desk: Paydesk) -> list[str]:
    """Every mirrored row, field by field, against what Stripe says now."""
    wrong = []
    for mirrored in MIRRORED:
        table = mirrored.table(desk.store.tables)
        with desk.store.read() as connection:
            rows = connection.execute(select(table)).mappings().all()
        for row in rows:
            identifier = row[mirrored.key]
            if row["object"] is None or row["object"]["object"] != mirrored.type:
                continue
            there = read(desk._stripe_api, mirrored, identifier)  # noqa: SLF001 - asked as the mirror asks
            if there is None or there.get("deleted"):
                if row["deleted_at"] is None:
                    wrong.append(f"{mirrored.type} {identifier} is gone at Stripe")
                continue
            if row["deleted_at"] is not None:
                wrong.append(f"{mirrored.type} {identifier} is said to be deleted, and is not")
            changed = sorted(name for name in there if there[name] != row["object"].get(name))
            if changed and not _is_untold(there, changed):
                wrong.append(f"{mirrored.type} {identifier} has drifted: {', '.join(changed)}")
    return wrong


def _is_untold(there: dict[str, Any], changed: list[str]) -> bool:
    """Whether Stripe sends no event about this: an invoice counts on, somebody tried in vain to pay an open session."""
    if there["object"] == "customer":
        return changed == ["next_invoice_sequence"]
    return there["object"] == "checkout.session" and there["status"] == "open" and changed == ["payment_intent"]


def _orders(universe: Universe, desk: Paydesk) -> list[str]:
    """The ledger against the money: every paid session's order is paid, and no other."""
    wrong = []
    orders = desk.store.tables.orders
    with desk.store.read() as connection:
        rows = connection.execute(select(orders)).mappings().all()
    for row in rows:
        if row["session_id"] is None:
            continue
        session = universe.stripe.v1.checkout.sessions.retrieve(row["session_id"])
        is_paid = session.payment_status == "paid"
        if is_paid != (row["status"] in ("paid", "refunded")):
            wrong.append(f"order {row['id']} is {row['status']}, its session {session.payment_status}")
        if is_paid and session.amount_total != row["amount_minor"]:
            wrong.append(f"order {row['id']} was paid with {session.amount_total} instead of {row['amount_minor']}")
    known = {row["session_id"] for row in rows}
    sessions = universe.stripe.v1.checkout.sessions.list({"limit": 100}).auto_paging_iter()
    return wrong + [
        f"the session {session.id} is paid, and no order knows it"
        for session in sessions
        if session.mode == "payment" and session.payment_status == "paid" and session.id not in known
    ]


def _doubled(universe: Universe) -> list[str]:
    """One customer and one live subscription a user, one payment an order, nothing given back that was not taken."""
    client = universe.stripe
    customers = client.v1.customers.list({"limit": 100}).auto_paging_iter()
    users = Counter(_metadata(customer).get(USER_KEY) for customer in customers)
    wrong = [f"{user} is {count} customers" for user, count in users.items() if user is not None and count > 1]
    intents = client.v1.payment_intents.list({"limit": 100}).auto_paging_iter()
    paid = Counter(_metadata(intent).get(ORDER_KEY) for intent in intents if intent.status == "succeeded")
    wrong += [f"order {order} was paid {count} times" for order, count in paid.items() if order and count > 1]
    held = client.v1.subscriptions.list({"limit": 100}).auto_paging_iter()
    live = Counter(str(one.customer) for one in held if one.status not in ("incomplete", "incomplete_expired"))
    wrong += [f"{customer} has {count} subscriptions at once" for customer, count in live.items() if count > 1]
    charges = client.v1.charges.list({"limit": 100}).auto_paging_iter()
    return wrong + [f"{one.id} gave back more than it took" for one in charges if one.amount_refunded > one.amount]


def _metadata(found: Any) -> dict[str, str]:
    return found.metadata.to_dict() if found.metadata else {}


def _told(desk: Paydesk) -> list[str]:
    """Every fact reached its handler, and what the handler wrote is there exactly once."""
    tables = desk.store.tables
    with desk.store.read() as connection:
        told: Counter[str] = Counter(connection.scalars(text("SELECT key FROM told")).all())
        facts: list[Any] = list(connection.execute(select(tables.facts.c.key, tables.facts.c.type)))
        dead = set(connection.scalars(select(tables.effects.c.source).where(tables.effects.c.state == "dead")))
        is_paid = tables.orders.c.status.in_(("paid", "refunded"))
        paid = connection.scalars(select(tables.orders.c.id).where(is_paid)).all()
    wrong = [f"{key} was told {count} times" for key, count in told.items() if count > 1]
    heard = {fact.type for fact in FACTS}
    for key, kind in facts:
        if kind in heard and key not in told and f"fact:{key}" not in dead:
            wrong.append(f"{key} reached nobody")
    known = {key for key, _ in facts}
    wrong += [f"order {order} is paid, and nobody was told" for order in paid if f"order.paid:{order}" not in known]
    return wrong


def _events_told(universe: Universe, desk: Paydesk) -> list[str]:
    """What is told by Stripe's own names: to a handler that writes here, once; to one that does not, at least once."""
    with desk.store.read() as connection:
        told = set(connection.scalars(text("SELECT key FROM told WHERE topic = :topic"), {"topic": EVENT}))
    wrong = []
    for name, heard in ((EVENT, told), (ABROAD, universe.heard)):
        listed = universe.stripe.v1.events.list({"type": name, "limit": 100}).auto_paging_iter()
        wrong += [f"{name} {event.id} reached nobody" for event in listed if event.id not in heard]
    return wrong


def _verified(desk: Paydesk) -> list[str]:
    """The desk's own word for it, every column included: it must see no drift where there is none."""
    # What was on sale before the first customer is history: no sweep fetches it, and whoever wants it asks for it.
    desk.sync(tables=("products", "prices"))
    verified = desk.verify()
    drifts = [(each, ", ".join(field.path for field in each.differences)) for each in verified.drifts]
    return [
        *(f"verify: {each.kind} {each.id} {each.problem} {fields}" for each, fields in drifts),
        *(f"verify: {finding}" for finding in verified.findings),
    ]
