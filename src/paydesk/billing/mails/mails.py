"""Mails, sent as the app's own handlers are run: each once for its fact, again after a failure, never in the way.

    MAIL_URL=smtps://user:password@smtp.example.com
    MAIL_FROM="Bookshop <billing@shop.example>"

Nothing is sent unless this is set, or the desk is given a function that sends.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import select

from paydesk.billing.facts import (
    CardExpiring,
    Fact,
    Invoice,
    InvoicePaid,
    OrderPaid,
    PaymentFailed,
    Subscription,
    SubscriptionEnded,
    TrialEnding,
)
from paydesk.billing.inbox.effects import run_to_end
from paydesk.billing.log import get_logger
from paydesk.billing.mails.occasions import Letter, Now, Occasions, Told
from paydesk.billing.post import Mail

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from sqlalchemy import Table

    from paydesk.billing.catalog import Catalog
    from paydesk.billing.inbox.handlers import Handlers
    from paydesk.billing.post import Kind
    from paydesk.billing.store.store import Store
    from paydesk.billing.web.pages import Pages

    Send = Callable[[Mail], Any]

logger = get_logger(__name__)

# Which facts may lead to which mails. One handler for each fact, found again by the fact's name.
KINDS_OF: Mapping[type[Fact], frozenset[Kind]] = {
    PaymentFailed: frozenset({"payment_failed", "action_needed"}),
    CardExpiring: frozenset({"card_expiring"}),
    TrialEnding: frozenset({"trial_ending"}),
    InvoicePaid: frozenset({"receipt"}),
    OrderPaid: frozenset({"receipt"}),
    SubscriptionEnded: frozenset({"ended"}),
}


class Mails:
    """Writes and sends the mails of one shop. `kinds` are those it sends."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        pages: Pages,
        send: Send,
        *,
        base_url: str,
        kinds: Collection[Kind],
    ) -> None:
        self._store = store
        self._occasions = Occasions(catalog)
        self._pages = pages
        self._send = send
        self._kinds = frozenset(kinds)
        self._links = {"account_url": f"{base_url}/account", "pricing_url": f"{base_url}/pricing"}

    @property
    def facts(self) -> list[type[Fact]]:
        """The facts that one of the mails is about."""
        return [fact for fact, kinds in KINDS_OF.items() if kinds & self._kinds]

    def register(self, handlers: Handlers) -> None:
        """Send from now on."""
        for fact in self.facts:
            handlers.add(fact, self.tell, name=f"paydesk.mails.{fact.type}")

    def tell(self, fact: Told) -> None:
        """Write to whom this fact concerns, if there is something to tell."""
        letter = self._occasions.letter(fact, self._now(fact))
        if letter is None or letter.kind not in self._kinds:
            return
        to = self._address(fact)
        if to is None:
            logger.info("no mail %r: no address is known for %s", letter.kind, fact.key)
            return
        mail = self.written(letter, to, fact)
        if inspect.iscoroutinefunction(self._send):
            run_to_end(self._send(mail))
        else:
            self._send(mail)
        logger.info("mail %r for %s", mail.kind, fact.key)

    def written(self, letter: Letter, to: str, fact: Fact) -> Mail:
        """The letter as a mail: its templates filled in. The first line of the text is the subject."""
        values = {**self._links, **letter.values, "fact": fact}
        first, _, text = self._pages.render(f"mail/{letter.kind}.txt", **values).strip().partition("\n")
        subject = " ".join(first.split())
        if not self._pages.shop.livemode:
            subject = f"[Test] {subject}"
        html = self._pages.render(f"mail/{letter.kind}.html", subject=subject, **values)
        return Mail(letter.kind, to, subject, f"{text.strip()}\n", html, fact.idempotency_key)

    def _now(self, fact: Told) -> Now:
        tables = self._store.tables
        if isinstance(fact, PaymentFailed):
            invoice = self._row(tables.invoices, fact.invoice.id)
            payment = self._row(tables.payments, invoice["payment_intent_id"]) if invoice is not None else None
            return Now(
                invoice=Invoice.from_row(invoice) if invoice is not None else None,
                subscription=self._subscription(fact.invoice.subscription_id),
                refusal=payment["failure_message"] if payment is not None else None,
            )
        if isinstance(fact, TrialEnding | CardExpiring):
            return Now(subscription=self._subscription(fact.subscription.id))
        return Now()

    def _subscription(self, subscription_id: str | None) -> Subscription | None:
        row = self._row(self._store.tables.subscriptions, subscription_id)
        return Subscription.from_row(row) if row is not None else None

    def _address(self, fact: Told) -> str | None:
        """Where the mail goes: what the buyer typed, or what Stripe knows of the customer now."""
        if isinstance(fact, OrderPaid):
            customer_id, known = fact.order.customer_id, fact.order.email
        elif isinstance(fact, PaymentFailed | InvoicePaid):
            customer_id, known = fact.invoice.customer_id, None
        else:
            customer_id, known = fact.subscription.customer_id, None
        if known:
            return known
        customers = self._store.tables.customers
        with self._store.read() as connection:
            query = select(customers.c.email).where(customers.c.stripe_id == customer_id)
            return cast("str | None", connection.scalar(query)) or None

    def _row(self, table: Table, object_id: str | None) -> Mapping[Any, Any] | None:
        with self._store.read() as connection:
            return connection.execute(select(table).where(table.c.id == object_id)).mappings().one_or_none()
