"""What a test says about money: who pays, what goes wrong on the way, and how time passes.

    def test_a_lost_webhook_is_made_up_for(billing):
        billing.subscribe("ada", "pro")
        billing.lose_next("invoice.paid")
        billing.advance("1 month 2 hours")
        assert billing.facts.count("invoice.paid") == 2

Nothing happens by itself. Time stands still until it is advanced, events wait until they are delivered, and the
worker works when the test says so. Every deed here ends with `settle()`, so that the app has heard of it and done all
it does about it; with `settle=False` the news waits.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from sqlalchemy import select

from paydesk.billing.customers import User
from paydesk.billing.desk import Paydesk
from paydesk.billing.stripe_api import StripeApi
from paydesk.testing.asgi import Answer, Request
from paydesk.testing.crashes import Crash, crashing
from paydesk.testing.inside import failures_noted, next_due, patrol
from paydesk.testing.line import Line
from paydesk.testing.misuse import HandlerFailed, Misused
from paydesk.testing.pages import GOOD_CARD, Bank, Customer, Payment, page_of
from paydesk.testing.post import Post

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import stripe

    from paydesk import HeldSubscription, Order, Settings
    from paydesk.billing.customers import Payer
    from paydesk.testing.apps import App
    from paydesk.testing.database import Database
    from paydesk.testing.sandbox import LocalStripe

BASE_URL = "http://testserver"
WEBHOOK_SECRET = "whsec_paydesk_testing"  # noqa: S105 - known to both ends of a test, and to nobody else
# A process that died held leases and claims for this long at most, and is missed then.
MISSED_AFTER = "3 minutes"
# What calls itself due again at once, for ever, is a mistake that must not hang the tests.
ROUNDS_MAX = 100
STOPS_MAX = 10_000


class Billing:
    """An app's desk, wired to a Stripe of its own for one test.

    `desk` is the app's own, `stripe` the sandbox, `client` the test client of the app's framework.
    """

    def __init__(self, desk: Paydesk, stripe: LocalStripe, database: Database, app: App | None, *, seed: str) -> None:
        self.desk = desk
        self.stripe = stripe
        self.database = database
        self._app = app
        self._line = Line(stripe.server)
        self._customer = Customer(stripe.server)
        self._may_fail = False
        shelf = stripe.stock(desk.catalog)
        self._wire(BASE_URL)
        database.renew(desk, shelf, self._know_the_catalog)
        path = f"{desk.prefix}/webhooks/stripe"
        self._post = Post(stripe, hand=self._hand, path=path, secret=WEBHOOK_SECRET, seed=seed)

    # What there is

    @property
    def now(self) -> datetime:
        """The time, at Stripe and for the desk. It stands still until it is advanced."""
        return self.stripe.now

    @cached_property
    def client(self) -> Any:
        """The test client of the app's own framework. It follows no redirects: they lead to Stripe."""
        if self._app is None:
            raise Misused(
                "billing.client needs to know your app. Say where it is, "
                '[tool.pytest.ini_options] paydesk_app = "myapp.main:app", or override the fixture paydesk_app.'
            )
        return self._app.client(BASE_URL)

    @property
    def facts(self) -> list[str]:
        """What the app was told, oldest first: `["order.paid", "subscription.started"]`."""
        table = self.desk.store.tables.facts
        with self.desk.store.read() as connection:
            return list(connection.scalars(select(table.c.type).order_by(table.c.created_at, *table.primary_key)))

    @property
    def waiting(self) -> list[str]:
        """The types of the events that wait to be delivered, oldest first."""
        return self._post.waiting

    # What customers do

    def pay(
        self,
        session: Any,
        card: str = GOOD_CARD,
        *,
        email: str = "ada@example.com",
        bank: Bank = "passes",
        settle: bool = True,
    ) -> Payment:
        """Pay on Stripe's hosted page, as a customer does: `pay(checkout, card="4000 0000 0000 9995")`.

        `session` is what `desk.checkout` or `desk.subscribe` answered, a Checkout Session, the address of its page, or
        the app's own answer that leads there. Where the bank asks (3-D Secure), it "passes", "fails" or "is left". A
        refusal is no error: see the answer's `is_paid` and `reason`. The thanks page is at the answer's `url`.
        """
        payment = self._customer.pay(page_of(session), card, email, bank)
        self._settled(settle)
        return payment

    def buy(self, user: Payer | str, sku: str, *, card: str = GOOD_CARD, quantity: int = 1) -> Order:
        """Let a user buy a product, from the checkout to the last handler; answers the order."""
        who = payer(user)
        checkout = self.desk.checkout(sku, user=who, quantity=quantity)
        self._must_pay(checkout, card, f'billing.desk.checkout("{sku}", user=…)')
        return self.desk.order(checkout.order.id)

    def subscribe(self, user: Payer | str, plan: str, *, card: str = GOOD_CARD, **options: Any) -> HeldSubscription:
        """Let a user subscribe, from the sign-up to the last handler; answers what they have.

        `options` are those of `desk.subscribe`: seats, interval, trial_days.
        """
        who = payer(user)
        signup = self.desk.subscribe(plan, user=who, **options)
        self._must_pay(signup, card, f'billing.desk.subscribe("{plan}", user=…)')
        return self._held(who, self.desk.catalog.plan(plan).slot)

    def cancel(self, user: Payer | str, *, at_once: bool = False, settle: bool = True) -> HeldSubscription | None:
        """Let a user cancel at Stripe, as the portal does it: at the end of what is paid for, or at once.

        Answers what they have then; None while the news waits.
        """
        who = payer(user)
        held = self._held(who)
        subscriptions = self.stripe.client.v1.subscriptions
        if at_once:
            subscriptions.cancel(held.id)
        else:
            subscriptions.update(held.id, {"cancel_at_period_end": True})
        self._settled(settle)
        return self.desk.subscription(who) if settle else None

    # What happens at Stripe

    def refund(self, order: Order | str, amount_minor: int | None = None, *, settle: bool = True) -> stripe.Refund:
        """Give money back in Stripe's dashboard, behind the app's back. `desk.refund` is the app's own way."""
        given: Any = {"payment_intent": self._intent_of(order)}
        if amount_minor is not None:
            given["amount"] = amount_minor
        refund = self.stripe.client.v1.refunds.create(given)
        self._settled(settle)
        return refund

    def dispute(self, order: Order | str, reason: str = "fraudulent", *, settle: bool = True) -> stripe.Dispute:
        """Let whoever paid an order go to their bank: "fraudulent" or "product_not_received"."""
        intent = self.stripe.client.v1.payment_intents.retrieve(self._intent_of(order))
        opened = self.stripe.control("POST", f"/charges/{intent.latest_charge}/dispute", {"reason": reason})
        self._settled(settle)
        return self.stripe.client.v1.disputes.retrieve(opened["id"])

    def decline_cards_of(self, user: Payer | str, decline: str = "chargeDeclined") -> None:
        """From now on the user's saved cards are declined; "visa" makes them good again."""
        customer = self._held(payer(user)).customer_id
        cards = self.stripe.client.v1.customers.payment_methods.list(customer or "").data
        for card in cards:
            self.stripe.control("POST", f"/payment_methods/{card.id}/behave", {"as": decline})

    # Time, the post and the worker

    def advance(self, span: str | datetime, *, settle: bool = True) -> None:
        """Let time pass: "1 month", "3 days", or until a moment.

        It stops wherever something is due, at Stripe or for the worker; the app hears of it, and only then time goes
        on. With `settle=False` it passes for Stripe alone, as if the app were down.
        """
        target = self.stripe.moment(span)
        for _ in range(STOPS_MAX):
            # Stripe lists the events of thirty days: they are taken in on the way also where nobody hears of them yet.
            self._post.collect()
            is_there = self.now >= target
            if settle:
                self.settle()
                # Every few minutes, in production: here at the end, or where there is something to find.
                if is_there or self._post.lost:
                    patrol(self.desk)
                    self.settle()
            if is_there:
                return
            due = [self.stripe.next_due, next_due(self.desk, self.now) if settle else None]
            self.stripe.advance(min([target, *(max(moment, self.now) for moment in due if moment is not None)]))
        raise Misused(f"{STOPS_MAX} things became due before {target}. Advance in shorter steps.")

    def deliver(self, *types: str, shuffled: bool = False, twice: bool = False) -> list[str]:
        """Deliver the webhooks that wait, or of them only some types; answers the types in the order they went out.

        The app keeps them; the worker's part is `settle()`. What is shuffled is shuffled the same way each time.
        """
        return self._post.deliver(types, shuffled=shuffled, twice=twice)

    def lose_next(self, event_type: str) -> None:
        """Lose the next webhook of this type on the way. The worker's sweep finds it within some minutes."""
        self._post.lose_next(event_type)

    def settle(self) -> None:
        """Do all that is due, until nothing is: at Stripe, on the way, and in the app.

        Raises HandlerFailed where one of the app's handlers raised, and WebhookRefused where its route did not take a
        webhook.
        """
        for _ in range(ROUNDS_MAX):
            self.stripe.advance(self.now)
            delivered = self._post.deliver((), shuffled=False, twice=False)
            self._work()
            if not delivered and not self._post.waiting:
                return
        raise Misused(f"After {ROUNDS_MAX} rounds the app still makes new events by handling the ones before.")

    @contextmanager
    def failures_allowed(self) -> Iterator[None]:
        """Handlers may raise meanwhile, and are tried again later, as in production."""
        before, self._may_fail = self._may_fail, True
        try:
            yield
        finally:
            self._may_fail = before

    @contextmanager
    def crash_between(self, before: str, after: str, request: str = "") -> Iterator[None]:
        """Let the app's process die once between two steps, and be started again at the end of the block.

        "receive" and "apply": a webhook is kept, and nobody has answered it or worked on it. "apply" and "effect":
        what happened is known, and no handler has run. "effect" and "commit": a handler has returned, and what it wrote
        is lost. "call" and "commit": Stripe has done what it was asked ("POST /v1/refunds", if a request is named), and
        the app has not noted it. Then some minutes pass, and a new process finishes what is left.
        """
        with crashing(self.desk, self._line, before, after, request) as struck:
            try:
                yield
            except Crash:
                if not struck:
                    raise
        if not struck:
            raise Misused(
                f'Nothing crashed: no step between "{before}" and "{after}" was reached within the block'
                f"{f' by {request}' if request else ''}."
            )
        self._wire(self.desk.settings.base_url)
        self.advance(MISSED_AFTER)

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Serve the app over HTTP for a while, for a browser: answers its address, to which Stripe's pages lead back.

        Webhooks still come when the test delivers them.
        """
        if self._app is None:
            raise Misused("billing.serve() needs to know your app: paydesk_app = … in pytest's options.")
        from paydesk.testing.serving import serving

        with serving(self._app) as url:
            self._wire(url)
            try:
                yield url
            finally:
                self._wire(BASE_URL)

    def close(self) -> None:
        """The test is over. Raises Misused where something it asked for never came."""
        in_vain = self._post.lost_in_vain
        if in_vain:
            raise Misused(f"lose_next({in_vain[0]!r}) waited in vain: no such event came.")

    # Parts

    def _know_the_catalog(self) -> None:
        """Bring the mirror in line with what is on sale, by a desk without handlers: nobody is told of it."""
        settings = self.desk.settings
        silent = Paydesk(settings, catalog=self.desk.catalog, stripe_api=self._api(), now=lambda: self.now)
        try:
            silent.sync()
            silent.work()
        finally:
            silent.close()

    def _api(self) -> StripeApi:
        key = SecretStr(self.stripe.key)
        return StripeApi(key, self.stripe.url, sleep=lambda _: None, http_client=self._line)

    def _wire(self, base_url: str) -> None:
        self.desk.rewire(
            self._settings(self.desk.settings, base_url),
            stripe_api=self._api(),
            now=lambda: self.now,
        )

    def _settings(self, settings: Settings, base_url: str) -> Settings:
        return replace(
            settings,
            stripe_secret_key=SecretStr(self.stripe.key),
            stripe_webhook_secrets=(SecretStr(WEBHOOK_SECRET),),
            stripe_api_base=self.stripe.url,
            base_url=base_url,
            database_url=SecretStr(self.database.url),
            # Ids of prices belong to another account; here each is found by its lookup key.
            prices={},
            is_working=False,
            mail_url=None,
        )

    def _hand(self, body: bytes, signature: str) -> Answer:
        """Hand a webhook to the app's own route, or, where no app is known, to the desk."""
        if self._app is None:
            self.desk.receive(body, signature)
            return Answer(200, {}, b"")
        path = f"{self.desk.prefix}/webhooks/stripe"
        headers = {"content-type": "application/json; charset=utf-8", "stripe-signature": signature}
        return self._app.ask(Request("POST", path, headers, body))

    def _settled(self, is_wanted: bool) -> None:
        if is_wanted:
            self.settle()

    def _work(self) -> None:
        with failures_noted(self.desk) as failed:
            self.desk.work()
        if failed and not self._may_fail:
            claimed, error = failed[0]
            raise HandlerFailed(claimed["handler"], claimed["source"]) from error

    def _must_pay(self, page: Any, card: str, instead: str) -> None:
        payment = self.pay(page, card)
        if not payment.is_paid:
            raise Misused(
                f"The card {card} was refused: {payment.reason} "
                f"To see what the app makes of that, pay yourself: billing.pay({instead}, card=…)"
            )

    def _held(self, user: Payer, slot: str | None = None) -> HeldSubscription:
        held = self.desk.subscription(user) if slot is None else self.desk.subscription(user, slot=slot)
        if held is None:
            raise Misused(f"{user.id} subscribes to nothing, as far as the app knows. billing.subscribe(…) first.")
        return held

    def _intent_of(self, order: Order | str) -> str:
        known = self.desk.order(order if isinstance(order, str) else order.id)
        if known.payment_intent_id is None:
            raise Misused(f"The order {known.id} is {known.status}, so there is no money. billing.buy(…) first.")
        return known.payment_intent_id


def payer(user: Payer | str) -> Payer:
    """Somebody by name, or the app's own user."""
    return User(id=user, email=f"{user}@example.com") if isinstance(user, str) else user
