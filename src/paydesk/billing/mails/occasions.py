"""Occasions: which fact is told by which mail, and what is filled in.

Each function decides about one fact, beside how things stand now: a mail may
wait for its server for hours, and nobody is told to pay what they have paid.
The words are in the templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from paydesk.billing.facts import CardExpiring, InvoicePaid, OrderPaid, PaymentFailed, SubscriptionEnded, TrialEnding
from paydesk.billing.money import show
from paydesk.billing.web.account import day

if TYPE_CHECKING:
    from paydesk.billing.catalog import Catalog
    from paydesk.billing.facts import Invoice, Subscription
    from paydesk.billing.post import Kind

Told = PaymentFailed | InvoicePaid | OrderPaid | TrialEnding | SubscriptionEnded | CardExpiring


@dataclass(frozen=True)
class Now:
    """How things stand as the mail is written: the mirror's rows, and the bank's words for a refusal."""

    invoice: Invoice | None = None
    subscription: Subscription | None = None
    refusal: str | None = None


@dataclass(frozen=True)
class Letter:
    """A mail that is to be written: its kind, and what its template fills in."""

    kind: Kind
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Occasions:
    """Decides, with the catalog's names for what was sold."""

    catalog: Catalog

    def letter(self, fact: Told, now: Now) -> Letter | None:
        """What to write about this fact; None where there is nothing to tell, or nothing any more.

        | mail           | fact                              | unless                                              |
        |----------------|-----------------------------------|-----------------------------------------------------|
        | payment_failed | PaymentFailed                     | it is paid by now, failed again, or brought the end |
        | action_needed  | PaymentFailed, the bank is asking | the same                                            |
        | card_expiring  | CardExpiring                      | the subscription is over, or ends before it renews  |
        | trial_ending   | TrialEnding                       | the trial is over, or ends at another time          |
        | receipt        | InvoicePaid, OrderPaid            | nothing was paid                                    |
        | ended          | SubscriptionEnded                 |                                                     |

        A first invoice fails before the eyes of whoever is paying it: Stripe's page tells them.
        """
        match fact:
            case PaymentFailed():
                return self._payment_failed(fact, now)
            case CardExpiring():
                return self._card_expiring(fact, now)
            case TrialEnding():
                return self._trial_ending(fact, now)
            case InvoicePaid():
                return self._receipt(fact)
            case OrderPaid():
                return self._order_receipt(fact)
            case SubscriptionEnded():
                return Letter("ended", {"plan": self._name(fact.subscription), "reason": fact.reason})

    def _payment_failed(self, fact: PaymentFailed, now: Now) -> Letter | None:
        told, current = fact.invoice, now.invoice or fact.invoice
        if told.billing_reason == "subscription_create" or not current.is_unpaid:
            return None
        if current.attempt_count > told.attempt_count:
            return None  # there is a newer mail
        subscription = now.subscription or fact.subscription
        if subscription is not None and subscription.ended:
            return None  # its end is told, and paying would bring nothing back
        again = current.next_attempt_at
        return Letter(
            "action_needed" if fact.needs_action else "payment_failed",
            {
                "plan": self._name(subscription),
                "amount": show(current.amount_remaining_minor, current.currency),
                "again": day(again) if again is not None else None,
                "pay_url": current.hosted_invoice_url,
                "refusal": None if fact.needs_action else now.refusal,
                "number": current.number,
            },
        )

    def _card_expiring(self, fact: CardExpiring, now: Now) -> Letter | None:
        subscription = now.subscription or fact.subscription
        if subscription.renews_at is None:
            return None
        return Letter(
            "card_expiring",
            {
                "plan": self._name(subscription),
                "card": f"{fact.brand.title()} •••• {fact.last4}" if fact.last4 else fact.brand.title(),
                "expires": f"{fact.exp_month:02}/{fact.exp_year}",
                "renews": day(subscription.renews_at),
                "amount": _price(subscription),
            },
        )

    def _trial_ending(self, fact: TrialEnding, now: Now) -> Letter | None:
        told, current = fact.subscription, now.subscription or fact.subscription
        ends_at = current.trial_ends_at
        if not current.on_trial or ends_at is None or ends_at != told.trial_ends_at:
            return None
        return Letter(
            "trial_ending",
            {
                "plan": self._name(current),
                "ends": day(ends_at),
                "is_last": current.cancels_at is not None and current.cancels_at <= ends_at,
                "amount": _price(current),
                "every": current.billed_every,
            },
        )

    def _receipt(self, fact: InvoicePaid) -> Letter | None:
        invoice = fact.invoice
        if invoice.amount_paid_minor <= 0:
            return None
        return Letter(
            "receipt",
            {
                "item": self._name(fact.subscription),
                "quantity": fact.subscription.seats if fact.subscription is not None else 1,
                "unit": "seats",
                "amount": show(invoice.amount_paid_minor, invoice.currency),
                "number": invoice.number,
                "date": day(invoice.created_at),
                "from": day(invoice.period_start) if fact.subscription is not None else None,
                "until": day(invoice.period_end) if fact.subscription is not None else None,
                "url": invoice.hosted_invoice_url,
                "pdf_url": invoice.invoice_pdf,
            },
        )

    def _order_receipt(self, fact: OrderPaid) -> Letter | None:
        order = fact.order
        if order.amount_minor <= 0:
            return None
        product = self.catalog.products.get(order.sku)
        return Letter(
            "receipt",
            {
                "item": product.name if product is not None else order.sku,
                "quantity": order.quantity,
                "unit": None,
                "amount": show(order.amount_minor, order.currency),
                "number": order.id,
            },
        )

    def _name(self, subscription: Subscription | None) -> str | None:
        """The plan's name, or None where the catalog does not know it."""
        plan = self.catalog.plans.get((subscription.plan if subscription is not None else None) or "")
        return plan.name if plan is not None else None


def _price(subscription: Subscription) -> str | None:
    """What it costs each time, where that is one amount."""
    if subscription.amount_minor is None or subscription.currency is None:
        return None
    return show(subscription.amount_minor, subscription.currency)
