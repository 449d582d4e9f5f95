"""Every table paydesk keeps in the app's database."""

from __future__ import annotations

from functools import lru_cache

from paydesk.billing.store import inbox_tables, mirror_tables
from paydesk.billing.store.frame import Frame


class Tables:
    """The tables under a prefix and in a schema of the app's choosing.

    An app that runs Alembic itself can add `Tables(...).metadata` to its own target metadata.
    """

    def __init__(self, prefix: str = "", schema: str | None = None) -> None:
        frame = Frame(prefix, schema)
        self.prefix = prefix
        self.schema = schema
        self.metadata = frame.metadata
        self.customers = mirror_tables.customers(frame)
        self.orders = mirror_tables.orders(frame)
        self.payments = mirror_tables.payments(frame)
        self.refunds = mirror_tables.refunds(frame)
        self.disputes = mirror_tables.disputes(frame)
        self.subscriptions = mirror_tables.subscriptions(frame)
        self.subscription_items = mirror_tables.subscription_items(frame)
        self.invoices = mirror_tables.invoices(frame)
        self.signups = mirror_tables.signups(frame)
        self.products = mirror_tables.products(frame)
        self.prices = mirror_tables.prices(frame)
        self.usage = mirror_tables.usage(frame)
        self.events = inbox_tables.events(frame)
        self.lanes = inbox_tables.lanes(frame)
        self.facts = inbox_tables.facts(frame)
        self.handlers = inbox_tables.handlers(frame)
        self.effects = inbox_tables.effects(frame)
        self.attempts = inbox_tables.attempts(frame)
        self.walks = inbox_tables.walks(frame)
        self.sightings = inbox_tables.sightings(frame)
        self.reports = inbox_tables.reports(frame)


@lru_cache
def tables_of(prefix: str = "", schema: str | None = None) -> Tables:
    """The tables of that name, the same for every desk of a process: what one has compiled, another knows."""
    return Tables(prefix, schema)
