"""The tables that mirror Stripe's objects, and among them the ledgers: of orders, and of what was used.

They carry the columns people query, and the whole Stripe object beside them. Amounts are integers in the currency's
smallest unit. A deleted object keeps its row, with `deleted_at` set, so that a late event cannot revive it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, Text, false, text

from paydesk.billing.store.columns import UtcDateTime, row_number, whole_object

if TYPE_CHECKING:
    from paydesk.billing.store.frame import Frame


def customers(frame: Frame) -> Table:
    """Who pays: the app's user and Stripe's customer, linked.

    A row with a `user_id` and no `stripe_id` is a claim: committed before Stripe is asked, so that two racers
    ask for the same customer. A row with no `user_id` is a customer we did not make.
    """
    return frame.table(
        "customers",
        Column("id", row_number(), primary_key=True),
        Column("user_id", Text),
        Column("stripe_id", Text),
        Column("email", Text),
        Column("name", Text),
        Column("livemode", Boolean),
        *_mirrored(),
        Column("created_at", UtcDateTime, nullable=False),
        Column("updated_at", UtcDateTime, nullable=False),
        frame.unique("customers_user_id", "user_id"),
        frame.unique("customers_stripe_id", "stripe_id"),
    )


def orders(frame: Frame) -> Table:
    """The ledger: one row per thing somebody set out to buy. `object` is its Checkout Session."""
    return frame.table(
        "orders",
        Column("id", Text, primary_key=True),
        Column("user_id", Text),
        Column("email", Text),
        Column("sku", Text, nullable=False),
        Column("quantity", Integer, nullable=False),
        Column("amount_minor", BigInteger, nullable=False),
        Column("currency", Text, nullable=False),
        Column("status", Text, nullable=False),  # pending | paid | failed | expired | refunded
        Column("session_id", Text),
        Column("session_url", Text),
        Column("payment_intent_id", Text),
        Column("charge_id", Text),
        Column("customer_id", Text),
        Column("amount_refunded_minor", BigInteger, nullable=False, server_default=text("0")),
        Column("disputed", Boolean, nullable=False, server_default=false()),
        Column("livemode", Boolean),
        Column("expires_at", UtcDateTime),
        Column("paid_at", UtcDateTime),
        Column("created_at", UtcDateTime, nullable=False),
        Column("updated_at", UtcDateTime, nullable=False),
        *_mirrored(),
        frame.unique("orders_session_id", "session_id"),
        frame.index("orders_user_id", "user_id", "created_at"),
        frame.index("orders_payment_intent_id", "payment_intent_id"),
    )


def payments(frame: Frame) -> Table:
    """Money asked for: a payment intent with its latest charge (or a charge alone, where an app makes those)."""
    return frame.table(
        "payments",
        Column("id", Text, primary_key=True),
        Column("order_id", Text),
        Column("invoice_id", Text),
        Column("charge_id", Text),
        Column("customer_id", Text),
        Column("status", Text, nullable=False),
        Column("amount_minor", BigInteger, nullable=False),
        Column("amount_received_minor", BigInteger, nullable=False),
        Column("amount_refunded_minor", BigInteger, nullable=False),
        Column("currency", Text, nullable=False),
        Column("failure_code", Text),
        Column("failure_message", Text),
        Column("livemode", Boolean),
        Column("created_at", UtcDateTime, nullable=False),
        *_mirrored(),
        frame.index("payments_order_id", "order_id"),
        frame.index("payments_invoice_id", "invoice_id"),
        frame.index("payments_charge_id", "charge_id"),
        frame.index("payments_customer_id", "customer_id"),
    )


def refunds(frame: Frame) -> Table:
    return frame.table(
        "refunds",
        Column("id", Text, primary_key=True),
        Column("order_id", Text),
        Column("payment_intent_id", Text),
        Column("charge_id", Text),
        Column("status", Text, nullable=False),
        Column("amount_minor", BigInteger, nullable=False),
        Column("currency", Text, nullable=False),
        Column("reason", Text),
        Column("created_at", UtcDateTime, nullable=False),
        *_mirrored(),
        frame.index("refunds_order_id", "order_id"),
        frame.index("refunds_payment_intent_id", "payment_intent_id"),
    )


def disputes(frame: Frame) -> Table:
    return frame.table(
        "disputes",
        Column("id", Text, primary_key=True),
        Column("order_id", Text),
        Column("payment_intent_id", Text),
        Column("charge_id", Text),
        Column("status", Text, nullable=False),
        Column("amount_minor", BigInteger, nullable=False),
        Column("currency", Text, nullable=False),
        Column("reason", Text),
        Column("evidence_due_at", UtcDateTime),
        Column("livemode", Boolean),
        Column("created_at", UtcDateTime, nullable=False),
        *_mirrored(),
        frame.index("disputes_order_id", "order_id"),
        frame.index("disputes_payment_intent_id", "payment_intent_id"),
    )


def subscriptions(frame: Frame) -> Table:
    """Who has which plan. A user may have several: one that is live in each slot, and those that are over."""
    return frame.table(
        "subscriptions",
        Column("id", Text, primary_key=True),
        Column("user_id", Text),
        Column("customer_id", Text),
        Column("slot", Text, nullable=False),
        Column("plan", Text),  # the catalog's code; null where the price is not in the catalog
        Column("status", Text, nullable=False),
        Column("seats", Integer, nullable=False),
        Column("price_id", Text),
        Column("amount_minor", BigInteger),
        Column("currency", Text),
        Column("billed_every", Text),
        Column("current_period_start", UtcDateTime),
        Column("current_period_end", UtcDateTime),
        Column("trial_ends_at", UtcDateTime),
        Column("cancels_at", UtcDateTime),
        Column("past_due_since", UtcDateTime),
        Column("heard_at", UtcDateTime),  # the latest time at Stripe that we know of, by what it told of this
        Column("ended_at", UtcDateTime),
        Column("latest_invoice_id", Text),
        Column("default_payment_method_id", Text),
        Column("turns", Integer, nullable=False, server_default=text("0")),
        Column("livemode", Boolean),
        Column("created_at", UtcDateTime, nullable=False),
        *_mirrored(),
        frame.index("subscriptions_user_id", "user_id", "created_at"),
        frame.index("subscriptions_customer_id", "customer_id"),
    )


def subscription_items(frame: Frame) -> Table:
    """What a subscription consists of, as it is now: an item that was removed is gone."""
    return frame.table(
        "subscription_items",
        Column("id", Text, primary_key=True),
        Column("subscription_id", Text, nullable=False),
        Column("plan", Text),
        Column("price_id", Text),
        Column("product_id", Text),
        Column("quantity", Integer),
        Column("current_period_start", UtcDateTime),
        Column("current_period_end", UtcDateTime),
        Column("object", whole_object()),
        frame.index("subscription_items_subscription_id", "subscription_id"),
    )


def invoices(frame: Frame) -> Table:
    return frame.table(
        "invoices",
        Column("id", Text, primary_key=True),
        Column("user_id", Text),
        Column("customer_id", Text),
        Column("subscription_id", Text),
        Column("payment_intent_id", Text),
        Column("number", Text),
        Column("status", Text, nullable=False),
        Column("billing_reason", Text),
        Column("currency", Text, nullable=False),
        Column("total_minor", BigInteger, nullable=False),
        Column("amount_due_minor", BigInteger, nullable=False),
        Column("amount_paid_minor", BigInteger, nullable=False),
        Column("amount_remaining_minor", BigInteger, nullable=False),
        Column("attempt_count", Integer, nullable=False),
        Column("next_attempt_at", UtcDateTime),
        Column("period_start", UtcDateTime),
        Column("period_end", UtcDateTime),
        Column("due_at", UtcDateTime),
        Column("paid_at", UtcDateTime),
        Column("hosted_invoice_url", Text),
        Column("invoice_pdf", Text),
        Column("livemode", Boolean),
        Column("created_at", UtcDateTime, nullable=False),
        *_mirrored(),
        frame.index("invoices_user_id", "user_id", "created_at"),
        frame.index("invoices_customer_id", "customer_id"),
        frame.index("invoices_subscription_id", "subscription_id"),
        frame.index("invoices_payment_intent_id", "payment_intent_id"),
    )


def usage(frame: Frame) -> Table:
    """What users used, as the app recorded it: once for each `key`."""
    return frame.table(
        "usage",
        Column("id", Text, primary_key=True),
        Column("user_id", Text, nullable=False),
        Column("meter", Text, nullable=False),
        Column("quantity", BigInteger, nullable=False),
        Column("key", Text),
        Column("livemode", Boolean, nullable=False),
        Column("used_at", UtcDateTime, nullable=False),
        frame.unique("usage_key", "meter", "user_id", "key", "livemode"),
        frame.index("usage_user_id", "user_id", "meter", "used_at"),
    )


def signups(frame: Frame) -> Table:
    """Who set out to subscribe to what. `object` is the Checkout Session; a user has one open page for each slot."""
    is_open = text("status = 'open'")
    return frame.table(
        "signups",
        Column("id", Text, primary_key=True),
        Column("user_id", Text, nullable=False),
        Column("slot", Text, nullable=False),
        Column("plan", Text, nullable=False),
        Column("seats", Integer, nullable=False),
        Column("billed_every", Text, nullable=False),
        Column("price_id", Text, nullable=False),
        Column("trial_days", Integer),
        Column("promotion_codes", Boolean, nullable=False),
        Column("customer_id", Text, nullable=False),
        Column("status", Text, nullable=False),  # open | complete | expired | failed
        Column("session_id", Text),
        Column("session_url", Text),
        Column("subscription_id", Text),
        Column("livemode", Boolean, nullable=False),
        Column("expires_at", UtcDateTime),
        Column("created_at", UtcDateTime, nullable=False),
        Column("updated_at", UtcDateTime, nullable=False),
        *_mirrored(),
        frame.unique("signups_session_id", "session_id"),
        frame.index(
            "signups_open", "user_id", "slot", "livemode", unique=True, postgresql_where=is_open, sqlite_where=is_open
        ),
        frame.index("signups_user_id", "user_id", "created_at"),
    )


def products(frame: Frame) -> Table:
    return frame.table(
        "products",
        Column("id", Text, primary_key=True),
        Column("name", Text, nullable=False),
        Column("active", Boolean, nullable=False),
        Column("livemode", Boolean),
        Column("created_at", UtcDateTime, nullable=False),
        *_mirrored(),
    )


def prices(frame: Frame) -> Table:
    return frame.table(
        "prices",
        Column("id", Text, primary_key=True),
        Column("product_id", Text, nullable=False),
        Column("lookup_key", Text),
        Column("active", Boolean, nullable=False),
        Column("type", Text, nullable=False),
        Column("currency", Text, nullable=False),
        Column("unit_amount_minor", BigInteger),
        Column("billed_every", Text),  # "month", "3 months"; null for a price charged once
        Column("livemode", Boolean),
        Column("created_at", UtcDateTime, nullable=False),
        *_mirrored(),
        frame.index("prices_lookup_key", "lookup_key"),
        frame.index("prices_product_id", "product_id"),
    )


def _mirrored() -> tuple[Column[Any], ...]:
    """What every mirrored row has besides its own columns.

    `seen_at` is Stripe's own stamp (unix seconds) of the newest event the row is known to account for; `payload_at`
    is set where the row was written from an event's payload instead of a read, to that event's stamp.
    """
    return (
        Column("object", whole_object()),
        Column("seen_at", BigInteger),
        Column("payload_at", BigInteger),
        Column("deleted_at", UtcDateTime),
    )
