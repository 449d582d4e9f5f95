"""A till: a whole desk on an empty database, at a sandbox of the local Stripe in which the catalog is on sale."""

from __future__ import annotations

import hmac
import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from sqlalchemy import select

from paydesk.billing.catalog import Catalog
from paydesk.billing.desk import Paydesk
from paydesk.billing.settings import Settings
from paydesk.billing.stripe_api import StripeApi

if TYPE_CHECKING:
    from collections.abc import Mapping

    import stripe
    from sqlalchemy import Table

    from tests.billing.conftest import Clock
    from tests.billing.wire import Wire

CATALOG = """
[products.ebook]
name = "The little book of webhooks"
price = "$19"

[products.mug]
name = "Mug"
price = "12.50 EUR"
quantity_max = 6

[plans.starter]
name = "Starter"
price = "$9/mo"

[plans.pro]
name = "Pro"
price = ["$29/mo", "$290/yr"]
seats_max = 50
features = ["export"]
limits = { emails = 1000 }

[meters.emails]
name = "E-mails sent"
event_name = "emails_sent"

[plans.support]
name = "Telephone"
price = "$99/mo"
slot = "support"
"""

WEBHOOK_SECRET = "whsec_tilltilltill"


class Till:
    """One process of an app. Two tills on one database are two processes."""

    def __init__(
        self,
        database_url: str,
        wire: Wire,
        key: str,
        clock: Clock,
        *,
        secrets: Mapping[str, str] = MappingProxyType({}),
        catalog: str = CATALOG,
        **options: Any,
    ) -> None:
        self.wire = wire
        self.clock = clock
        self.settings = Settings.read(
            {
                "STRIPE_SECRET_KEY": key,
                "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
                "STRIPE_API_BASE": wire.url,
                "BASE_URL": "https://shop.example",
                "DATABASE_URL": database_url,
                **secrets,
            }
        )
        api = StripeApi(SecretStr(key), wire.url, sleep=lambda _: None)
        self.desk = Paydesk(self.settings, catalog=Catalog.parse(catalog), stripe_api=api, now=clock, **options)

    def deliver(self, client: stripe.StripeClient, *types: str) -> list[str]:
        """Hand every event of the sandbox over as a webhook, or only those of some types; answers their types."""
        answer: Any = client.raw_request("get", "/v1/events", limit=100)
        events = [event for event in reversed(answer.data["data"]) if not types or event["type"] in types]
        for event in events:
            self.receive(event)
        return [event["type"] for event in events]

    def receive(self, event: dict[str, Any]) -> None:
        body = json.dumps(event).encode()
        stamp = int(self.clock().timestamp())
        mac = hmac.digest(WEBHOOK_SECRET.encode(), f"{stamp}.".encode() + body, "sha256").hex()
        self.desk.receive(body, f"t={stamp},v1={mac}")

    def rows(self, table: Table) -> list[dict[str, Any]]:
        with self.desk.store.read() as connection:
            return [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]

    @property
    def orders(self) -> list[dict[str, Any]]:
        return self.rows(self.desk.store.tables.orders)

    @property
    def attempts(self) -> list[dict[str, Any]]:
        return self.rows(self.desk.store.tables.attempts)

    @property
    def customers(self) -> list[dict[str, Any]]:
        return self.rows(self.desk.store.tables.customers)


def sessions_at_stripe(client: stripe.StripeClient) -> list[stripe.checkout.Session]:
    return client.v1.checkout.sessions.list({"limit": 100}).data


def customers_at_stripe(client: stripe.StripeClient) -> list[stripe.Customer]:
    return client.v1.customers.list({"limit": 100}).data
