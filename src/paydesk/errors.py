"""Everything that can go wrong for somebody who uses paydesk, in one tree.

Catch `PaydeskError` to catch them all. Every message says what happened, with
the values, and what to do next; the values are attributes too. None of them
knows HTTP: a web adapter decides which status a browser sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


class PaydeskError(Exception):
    """The root of every error paydesk raises on purpose."""


class ConfigurationError(PaydeskError):
    """The set-up is wrong. All mistakes are listed, so that one restart can fix them all."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        lines = "\n".join(f"  - {mistake}" for mistake in self.mistakes)
        number = "one thing" if len(self.mistakes) == 1 else f"{len(self.mistakes)} things"
        super().__init__(f"paydesk cannot start, {number} to fix:\n{lines}")


@dataclass(frozen=True)
class CatalogMistake:
    """One thing to fix in the catalog file. `line` is None where no single line is to blame."""

    line: int | None
    reason: str


class CatalogError(PaydeskError):
    """The catalog file cannot be sold from. `mistakes` lists every one, in the order of the file."""

    def __init__(self, path: Path | str, mistakes: Iterable[CatalogMistake]) -> None:
        self.path = str(path)
        self.mistakes = tuple(sorted(mistakes, key=lambda mistake: mistake.line or 0))
        lines = "\n".join(f"  {self._place(mistake)}: {mistake.reason}" for mistake in self.mistakes)
        super().__init__(f"The catalog needs fixing:\n{lines}")

    def _place(self, mistake: CatalogMistake) -> str:
        return f"{self.path}, line {mistake.line}" if mistake.line is not None else self.path


class HandlerRefused(PaydeskError):
    """A handler cannot be registered as asked."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"The handler {name!r} cannot be registered: {reason}")


class WouldWaitForItself(PaydeskError):
    """The desk was asked to write within another transaction on SQLite, and could only wait for ever."""

    def __init__(self) -> None:
        super().__init__(
            "On SQLite one transaction at a time can write, and this thread is in one already: in a handler that has "
            "used db or the ORM, or in a block of atomic(). The desk commits on its own, and would wait for it "
            "for ever. Ask the desk before that or after it: in a handler, before the first use of db or the ORM."
        )


class DatabaseUnavailable(PaydeskError):
    """The app's database does not answer."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"The database does not answer: {reason}. Check DATABASE_URL, and that it can be reached from here."
        )


class AnotherIsAtIt(PaydeskError):
    """Another process is doing the very same at this moment."""

    def __init__(self, doing: str) -> None:
        self.doing = doing
        super().__init__(
            f"Another process is at it already ({doing}). Let it finish; if it died, its turn ends in half a minute."
        )


class UnknownProduct(PaydeskError):
    """Somebody asked for a code that the catalog does not sell."""

    def __init__(self, sku: str, *, known: Iterable[str]) -> None:
        self.sku = sku
        self.known = tuple(sorted(known))
        choices = ", ".join(self.known) or "nothing at all"
        super().__init__(f"The catalog does not sell {sku!r}. It sells: {choices}.")


class QuantityRefused(PaydeskError):
    """The quantity is outside what the catalog allows for this product."""

    def __init__(self, sku: str, quantity: object, *, minimum: int, maximum: int) -> None:
        self.sku = sku
        self.quantity = quantity
        self.minimum = minimum
        self.maximum = maximum
        allowed = f"exactly {minimum}" if minimum == maximum else f"{minimum} to {maximum}"
        super().__init__(
            f"{quantity!r} is not a quantity {sku!r} can be bought in. Allowed: {allowed}. "
            "The catalog sets quantity_min and quantity_max."
        )


class UnknownPlan(PaydeskError):
    """Somebody asked for a plan that the catalog does not have."""

    def __init__(self, code: str, *, known: Iterable[str]) -> None:
        self.code = code
        self.known = tuple(sorted(known))
        choices = ", ".join(self.known) or "none at all"
        super().__init__(f"The catalog has no plan {code!r}. It has: {choices}.")


class UnknownFeature(PaydeskError):
    """A gate was asked for something that no plan of the catalog allows: it would be shut for everybody, for ever."""

    def __init__(self, code: str, *, known: Iterable[str]) -> None:
        self.code = code
        self.known = tuple(sorted(known))
        choices = ", ".join(self.known) or "nothing: it has no plans"
        super().__init__(f"No plan of the catalog is called or allows {code!r}. It knows: {choices}.")


class UnknownMeter(PaydeskError):
    """Something was recorded as used that the catalog has no meter for."""

    def __init__(self, code: str, *, known: Iterable[str]) -> None:
        self.code = code
        self.known = tuple(sorted(known))
        choices = ", ".join(self.known) or "none at all"
        super().__init__(f"The catalog has no meter {code!r}. It has: {choices}. Add a table: [meters.{code}]")


class UsageRefused(PaydeskError):
    """What was used is counted in whole numbers from 1 on."""

    def __init__(self, code: str, quantity: object) -> None:
        self.code = code
        self.quantity = quantity
        super().__init__(f"{quantity!r} of {code!r} cannot be recorded. Record a whole number, one or more.")


class SeatsRefused(PaydeskError):
    """The number of seats is outside what the catalog allows for this plan."""

    def __init__(self, code: str, seats: object, *, minimum: int, maximum: int) -> None:
        self.code = code
        self.seats = seats
        self.minimum = minimum
        self.maximum = maximum
        allowed = f"exactly {minimum}" if minimum == maximum else f"{minimum} to {maximum}"
        super().__init__(
            f"{seats!r} is not a number of seats the plan {code!r} can have. Allowed: {allowed}. "
            "The catalog sets seats_min and seats_max."
        )


class IntervalRefused(PaydeskError):
    """The plan is not charged in the rhythm that was asked for."""

    def __init__(self, code: str, interval: object, *, known: Sequence[str]) -> None:
        self.code = code
        self.interval = interval
        self.known = tuple(known)
        super().__init__(
            f"The plan {code!r} is not charged every {interval!r}. It is charged every {', or every '.join(known)}: "
            "the catalog lists its prices."
        )


class UnknownPrice(PaydeskError):
    """The catalog sells something for which this Stripe account has no price."""

    def __init__(self, code: str, *, looked_for: str, livemode: bool) -> None:
        self.code = code
        self.looked_for = looked_for
        self.livemode = livemode
        mode = "live" if livemode else "test"
        super().__init__(
            f"Stripe has no price for {code!r} in {mode} mode: looked for {looked_for}. Prices differ by mode: "
            "check that STRIPE_SECRET_KEY is of the account and mode where the price was made, "
            "or create it there with this lookup key."
        )


class PriceMismatch(PaydeskError):
    """Stripe's price is not what the catalog promises, so nothing is sold until they agree."""

    def __init__(self, code: str, price_id: str, *, promised: str, found: str) -> None:
        self.code = code
        self.price_id = price_id
        self.promised = promised
        self.found = found
        super().__init__(
            f"The catalog sells {code!r} at {promised}, but {price_id} at Stripe is {found}. Nothing is sold until "
            "they agree: correct the catalog, or make a new price at Stripe and move the lookup key to it."
        )


class SignatureRefused(PaydeskError):
    """A webhook was not signed by anyone who knows our secret, or too long ago."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"Webhook refused: {reason}. Check that STRIPE_WEBHOOK_SECRET is the secret of this very endpoint."
        )


class PayloadTooLarge(PaydeskError):
    """A webhook body is larger than anything Stripe sends."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        super().__init__(f"Webhook refused: the body is larger than {limit_bytes} bytes.")


class MalformedEvent(PaydeskError):
    """A webhook was signed properly but is not an event we can keep."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"Webhook refused: {reason}. Point a snapshot (v1) webhook endpoint at this address.")


class WrongMode(PaydeskError):
    """A live event reached a test set-up, or the other way round."""

    def __init__(self, event_id: str, *, livemode: bool) -> None:
        self.event_id = event_id
        self.livemode = livemode
        theirs, ours = ("live", "test") if livemode else ("test", "live")
        super().__init__(
            f"Event {event_id} is a {theirs}-mode event but STRIPE_SECRET_KEY is a {ours}-mode key. "
            f"Register this address as a webhook endpoint in {ours} mode and use that endpoint's secret."
        )


class OrderNotFound(PaydeskError):
    """There is no such order here, or it is not this person's."""

    def __init__(self, reference: str) -> None:
        self.reference = reference
        super().__init__(f"No order {reference!r}. Orders are found by their id (ord_…) or their Checkout Session.")


class NotRefundable(PaydeskError):
    """The order's money cannot be given back as asked."""

    def __init__(self, order_id: str, reason: str) -> None:
        self.order_id = order_id
        self.reason = reason
        super().__init__(f"Order {order_id} cannot be refunded: {reason}.")


class ChangeRefused(PaydeskError):
    """A subscription cannot be changed as asked. It is as it was.

    `code` is Stripe's, if it was Stripe who refused: `card_declined`, or `subscription_payment_intent_requires_action`
    where the bank wants to ask the customer, who has to make the change themselves, in the portal.
    """

    def __init__(self, subscription_id: str, reason: str, *, code: str | None = None) -> None:
        self.subscription_id = subscription_id
        self.reason = reason
        self.code = code
        super().__init__(f"Subscription {subscription_id} cannot be changed so: {reason}.")


class AlreadySubscribed(PaydeskError):
    """The user has a live subscription where one is all there can be. They change it instead, in the portal."""

    def __init__(self, user_id: str, *, subscription_id: str, plan: str | None) -> None:
        self.user_id = user_id
        self.subscription_id = subscription_id
        self.plan = plan
        super().__init__(
            f"The user {user_id!r} is subscribed already ({subscription_id}, plan {plan!r}), and a second subscription "
            "would be charged beside it. Send them to the portal: desk.portal(user)."
        )


class NothingToManage(PaydeskError):
    """The portal was asked for by somebody who has nothing in it: no purchase, or not the subscription they mean."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        super().__init__(f"The user {user_id!r} has nothing to manage at Stripe yet. Send them to /pricing.")


class PortalRefused(PaydeskError):
    """Stripe does not open its portal like this."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"Stripe did not open the portal: {reason} The catalog's push makes a configuration for its plans: "
            "`paydesk dev` does it by itself."
        )


class StripeRefused(PaydeskError):
    """Stripe understood the request and will not do it. Trying again unchanged is useless."""

    def __init__(
        self,
        doing: str,
        message: str,
        *,
        status: int | None,
        code: str | None,
        param: str | None,
        request_id: str | None,
    ) -> None:
        self.doing = doing
        self.message = message
        self.status = status
        self.code = code
        self.param = param
        self.request_id = request_id
        details = ", ".join(
            f"{name} {value}"
            for name, value in (("status", status), ("code", code), ("param", param), ("request", request_id))
            if value is not None
        )
        super().__init__(f"Stripe refused {doing}: {message} ({details})")


class StripeUnavailable(PaydeskError):
    """Stripe could not be reached or kept answering that it is busy. Trying again later is safe."""

    def __init__(self, doing: str, reason: str, *, tries: int) -> None:
        self.doing = doing
        self.reason = reason
        self.tries = tries
        times = "once" if tries == 1 else f"{tries} times"
        super().__init__(
            f"Stripe could not be asked {doing}, tried {times}: {reason}. Try again: the same idempotency key is kept, "
            "so nothing is done twice."
        )


class OutcomeUnknown(PaydeskError):
    """A write was left half-way for so long that Stripe may have forgotten its idempotency key `key`.

    Asking under it once more could do the thing twice, so it is given up here. It may have been done.
    """

    def __init__(self, doing: str, key: str) -> None:
        self.doing = doing
        self.key = key
        super().__init__(
            f"Stripe was asked {doing} almost a day ago or more, and its answer was lost: nobody here knows whether it "
            f"was done. Look for the idempotency key {key} in Stripe's request log, and only then ask again."
        )


class RelayUnavailable(PaydeskError):
    """JetStream could not be reached, or did not say that it has what it was sent. Trying again is safe."""

    def __init__(self, reason: Exception) -> None:
        self.reason = reason
        said = str(reason) or type(reason).__name__
        super().__init__(f"JetStream cannot be told what happened: {said}. Is NATS running there, with JetStream on?")


class MailNotSent(PaydeskError):
    """A mail could not be handed over. It is tried again by itself, for about half a day."""

    def __init__(self, kind: str, reason: str) -> None:
        self.kind = kind
        self.reason = reason
        super().__init__(f"The mail {kind!r} was not sent: {reason}. Look at MAIL_URL and at the mail server's log.")
