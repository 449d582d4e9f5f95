"""Refs and lanes: what must be read to honour an event, and which events may not be worked on at the same time.

One object always belongs to one lane. So a lane is made only of links that never change: a payment intent gains a
customer half-way through a checkout, and a lane named after that customer would let two workers hold the same payment.
A subscription and an invoice are born with their customer and keep it. They share that customer's lane, in which
parents are written before children: a fact about an invoice finds its subscription, and both find their owner.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Json = dict[str, Any]

# The money that moved, and what happened to it later, is one story: it is told by the payment intent.
_PARTS_OF_A_PAYMENT = frozenset({"charge", "refund", "dispute"})

_PARTS_OF_A_CUSTOMER = frozenset({"subscription", "invoice", "discount"})

# Their lanes cannot be told from their ids.
IN_ANOTHERS_LANE = frozenset({"dispute", "price", "subscription", "invoice"})

_READ_BY_THEIR_OWN_ID = frozenset(
    {
        "customer",
        "product",
        "price",
        "checkout.session",
        "payment_intent",
        "dispute",
        "subscription",
        "invoice",
    }
)


class Ref(NamedTuple):
    """An object at Stripe, by Stripe's name for its type and its id."""

    type: str
    id: str


def lane_of(subject: Json) -> str:
    """The lane of an event about this object."""
    kind = subject.get("object")
    if kind in _PARTS_OF_A_PAYMENT:
        lane = id_of(subject.get("payment_intent")) or id_of(subject.get("charge")) or subject.get("id")
    elif kind == "price":
        lane = id_of(subject.get("product"))
    elif kind in _PARTS_OF_A_CUSTOMER:
        lane = id_of(subject.get("customer")) or subject.get("id")
    else:
        lane = subject.get("id")
    # A few objects, such as the balance, have no id: there is one of each.
    return lane if isinstance(lane, str) else f"{kind}"


def ref_of(subject: Json) -> Ref | None:
    """What to read for an event about this object, or None where nothing of it is mirrored.

    A charge or refund is read through its payment intent: one read tells all that a burst of their events is about.
    A discount changes whatever it is given to.
    """
    kind, own_id = subject.get("object"), subject.get("id")
    if kind in ("charge", "refund"):
        if payment_intent := id_of(subject.get("payment_intent")):
            return Ref("payment_intent", payment_intent)
        charge = own_id if kind == "charge" else id_of(subject.get("charge"))
        return Ref("charge", charge) if charge else None
    if kind == "discount":
        return _ref_of_discount(subject)
    # An invoice that is still to come has an id that Stripe does not answer to.
    if kind in _READ_BY_THEIR_OWN_ID and own_id and not str(own_id).startswith("upcoming_"):
        return Ref(kind, own_id)
    return None


def _ref_of_discount(discount: Json) -> Ref | None:
    customer, subscription = id_of(discount.get("customer")), id_of(discount.get("subscription"))
    if customer is None:
        return None  # nor is it known in whose lane it would be
    return Ref("subscription", subscription) if subscription else Ref("customer", customer)


def id_of(link: Any) -> str | None:
    """The id behind a link, which Stripe writes as an id or, expanded, as the whole object."""
    if isinstance(link, dict):
        link = link.get("id")
    return link if isinstance(link, str) else None
