"""The desk: the one object an app holds.

    desk = Paydesk()                             # Secrets from the environment, catalog from paydesk.toml

    app = FastAPI(lifespan=desk.lifespan)
    app.include_router(desk.router(user=current_user))

    @desk.on(OrderPaid)                          # once per order, whatever Stripe delivers, and however often
    def deliver(paid, db): ...

Everything here is plain synchronous code that may be called from any thread;
`desk.aio` has the verbs again for coroutines.
"""

from __future__ import annotations

import asyncio
import re
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from paydesk.billing.aio import Aio
from paydesk.billing.attempts import Attempts
from paydesk.billing.cards import Cards
from paydesk.billing.catalog import Catalog
from paydesk.billing.counter import Counter
from paydesk.billing.facts import CardExpiring, Fact, UsageRecorded
from paydesk.billing.inbox.handlers import Handlers
from paydesk.billing.inbox.inbox import EFFECT_THREADS, LANE_THREADS, Inbox
from paydesk.billing.inbox.receive import BODY_BYTES_MAX, Receipt
from paydesk.billing.inbox.signature import Signatures
from paydesk.billing.log import redact_neighbours
from paydesk.billing.mails.mails import Mails
from paydesk.billing.operations.operated import Operated
from paydesk.billing.operations.operations import Operations
from paydesk.billing.plans import PlanFinder
from paydesk.billing.post import Server, Smtp
from paydesk.billing.settings import Settings
from paydesk.billing.store.migrations import migrate, revision_of
from paydesk.billing.store.store import Store
from paydesk.billing.stripe_api import StripeApi
from paydesk.billing.truth.truth import Truth
from paydesk.billing.truth.truthful import Truthful
from paydesk.billing.verbs import Verbs
from paydesk.billing.web.front import Front
from paydesk.billing.web.pages import Pages, Shop
from paydesk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import stripe

    from paydesk.billing.post import Mail
    from paydesk.billing.relay.jetstream import StreamConfig
    from paydesk.billing.relay.relay import Relay
    from paydesk.billing.store.orm import Orm

Handle = TypeVar("Handle", bound="Callable[..., Any]")


class Paydesk(Counter, Front, Truthful, Operated):
    """Stripe, wired into one app. Raises ConfigurationError or CatalogError if that cannot work.

    `settings` and `catalog` replace what is otherwise read from the environment and the catalog file. `prefix` is
    the path below which the routes are mounted, such as "/billing". `name` is the shop's, for its pages, and
    `templates` a folder whose files go before the pages' and mails' own. `send_mail` takes each Mail instead of the
    server of MAIL_URL; without either, no mails are sent. `stripe_api` is a client of other patience than ours. With
    the app's own `orm`, handlers without `db` run in its transactions.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        catalog: Catalog | None = None,
        name: str | None = None,
        prefix: str = "",
        templates: Path | str | None = None,
        send_mail: Callable[[Mail], Any] | None = None,
        stripe_api: StripeApi | None = None,
        orm: Orm | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings = settings if settings is not None else Settings.read()
        self.catalog = catalog if catalog is not None else Catalog.load(self.settings.catalog_path)
        self.prefix = _path(prefix)
        self.webhook_bytes_max = BODY_BYTES_MAX
        self._name, self._templates, self._send_mail, self._orm = name, templates, send_mail, orm
        self._registered: list[tuple[type[Fact] | str, Callable[..., Any]]] = []
        self._opening = threading.Lock()
        self.aio = Aio(self)
        self._wire(self.settings, _store(self.settings, orm), stripe_api, now)
        redact_neighbours()

    def rewire(
        self,
        settings: Settings,
        *,
        stripe_api: StripeApi | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Go on with other Secrets; the catalog, handlers and routes stay as they are.

        It is how tests give an app's desk a Stripe and a time of its own (see `paydesk.testing`). Nothing may be under
        way: what is received meanwhile, or still in a worker's hands, belongs to the wiring before.
        """
        self._inbox.close()
        store = self.store
        if _place(settings) != _place(self.settings):
            store.close()
            store = _store(settings, self._orm)
        self._wire(settings, store, stripe_api, now)
        for topic, handle in self._registered:
            self._listen(topic, handle)

    def _wire(
        self, settings: Settings, store: Store, stripe_api: StripeApi | None, now: Callable[[], datetime]
    ) -> None:
        """Put everything together that depends on the Secrets. Handlers are registered anew afterwards."""
        self.settings = settings
        self.store = store
        self._now = now
        self.pages = self._pages(self._name, self._templates)
        livemode = settings.livemode
        self._stripe_api = stripe_api if stripe_api is not None else StripeApi.of(settings)
        self._handlers = Handlers()
        self._attempts = Attempts(store, self._stripe_api, now=now)
        plans = PlanFinder(self.catalog.plans, settings.prices)
        self._inbox = Inbox(
            store,
            self._stripe_api,
            self._handlers,
            Signatures(settings.stripe_webhook_secrets),
            plans,
            livemode=livemode,
            now=now,
            chores=[self._attempts.finish_stale],
            watch=self._stripe_api.watch,
        )
        self._truth = Truth(
            store,
            self._stripe_api,
            self._inbox,
            plans,
            livemode=livemode,
            keep_days=settings.keep_days,
            now=now,
            sleep=self._stripe_api.sleep,
        )
        self.operations = Operations(
            store,
            self._stripe_api.watch,
            late_after_seconds=settings.late_seconds,
            is_measured=settings.metrics_token is not None,
            livemode=livemode,
            now=now,
        )
        self._verbs = Verbs(
            settings,
            self.catalog,
            store,
            self._stripe_api,
            self._attempts,
            self._inbox,
            base_url=settings.base_url + self.prefix,
            now=now,
        )
        self._handlers.add(UsageRecorded, self._verbs.usages.tell)
        self._cards = Cards(store, self._stripe_api, self._inbox.effects, self._handlers)
        self._post(self._send_mail)
        self._is_open = False

    def on(self, topic: type[Fact] | str) -> Callable[[Handle], Handle]:
        """Register a handler for a fact (`OrderPaid`) or for events by Stripe's name ("invoice.payment_failed").

        A handler that takes `db` gets a SQLAlchemy Session on the transaction that marks it done: what it writes
        there happens exactly once. On SQLite nobody else can write from the first use of `db` on, so talk to the
        world, and to the desk, before that. What it does elsewhere may happen again after a crash, under the same
        `idempotency_key`. A coroutine runs on a loop of its own: clients made on the app's loop are of no use in it.
        Raises HandlerRefused.
        """

        def register(handle: Handle) -> Handle:
            self._listen(topic, handle)
            self._registered.append((topic, handle))
            return handle

        return register

    def _listen(self, topic: type[Fact] | str, handle: Callable[..., Any]) -> None:
        self._handlers.add(topic, handle, orm=self._orm)
        if topic is CardExpiring:
            self._cards.watch()

    def receive(self, body: bytes, header: str | None) -> Receipt:
        """Keep a webhook: the raw body, and the Stripe-Signature header. It is on disk when this returns.

        Raises PayloadTooLarge, SignatureRefused, MalformedEvent or WrongMode: answer 413 to the first, 400 to the
        others. Any other exception means that it was not kept: answer 500, and Stripe delivers it again.
        """
        self.open()
        return self._inbox.receive(body, header)

    async def receive_async(self, body: bytes, header: str | None) -> Receipt:
        """The same as `receive`, for an event loop."""
        if not self._is_open:
            await asyncio.to_thread(self.open)
        return await self._inbox.receive_async(body, header)

    def work(self) -> None:
        """Do everything that is due, here and now, and return: for tests and scripts."""
        self.open()
        self._inbox.drain()

    def relay(self, config: StreamConfig) -> Relay:
        """Facts, handed on to other services through NATS JetStream: what `paydesk relay` starts.

        Raises ConfigurationError where NATS's client is missing.
        """
        from paydesk.billing.relay.jetstream import JetStream
        from paydesk.billing.relay.relay import Relay

        self.open()
        return Relay(self.store, self._inbox.lanes, JetStream(config), self._now)

    def open(self) -> None:
        """Bring the tables up to date, unless PAYDESK_MIGRATE is 0. Happens by itself before anything else does.

        Raises DatabaseUnavailable, or ConfigurationError if the tables should be there and are not.
        """
        if self._is_open:
            return
        with self._opening:
            if self._is_open:
                return
            if self.settings.is_migrating:
                migrate(self.store)
            elif not revision_of(self.store):
                raise ConfigurationError(["PAYDESK_MIGRATE is 0 and there are no tables. Run `paydesk migrate` first."])
            self._is_open = True

    def start(self, *, lane_threads: int = LANE_THREADS, effect_threads: int = EFFECT_THREADS) -> None:
        """Start the worker's threads in this process: some apply events, others run handlers.

        `lifespan` does it in a web app.
        """
        self.open()
        self._inbox.start(lane_threads=lane_threads, effect_threads=effect_threads)

    def stop(self) -> None:
        """Stop the worker's threads; what they are doing is finished first."""
        self._inbox.stop()

    def close(self) -> None:
        """Stop everything and let go of the database. The desk cannot be used afterwards."""
        self._inbox.close()
        self.store.close()

    @property
    def stripe(self) -> stripe.StripeClient:
        """Stripe's official client, configured, for everything else."""
        return self._stripe_api.client

    def _post(self, send: Callable[[Mail], Any] | None) -> None:
        """Send mails, if somebody said through whom."""
        settings = self.settings
        if send is None and settings.mail_url is not None:
            send = Smtp(Server.parse(settings.mail_url.get_secret_value()), settings.mail_from)
        if send is None:
            return
        base_url = settings.base_url + self.prefix
        mails = Mails(self.store, self.catalog, self.pages, send, base_url=base_url, kinds=settings.mail_kinds)
        mails.register(self._handlers)
        if CardExpiring in mails.facts:
            self._cards.watch()

    def _pages(self, name: str | None, templates: Path | str | None) -> Pages:
        base_url, livemode = self.settings.base_url, self.settings.livemode
        prefix = urlsplit(base_url).path + self.prefix
        return Pages(Shop.at(base_url, prefix=prefix, name=name, livemode=livemode), templates)


def _place(settings: Settings) -> tuple[str, str, str | None]:
    """Where the tables are: address, prefix and schema."""
    return settings.database_url.get_secret_value(), settings.table_prefix, settings.table_schema


def _store(settings: Settings, orm: Orm | None) -> Store:
    address, prefix, schema = _place(settings)
    return Store.open(address, prefix=prefix, schema=schema, orm=orm)


def _path(prefix: str) -> str:
    path = prefix.rstrip("/")
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", path):
        raise ConfigurationError([f"The prefix {prefix!r} is not a path such as /billing."])
    return path
