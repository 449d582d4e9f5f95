"""A small app to test: a book, a plan, a handler that writes, and one that tells the outside world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from sqlalchemy import Column, Integer, MetaData, String, Table, select

from paydesk import Catalog, OrderPaid, Paydesk, Settings, User
from paydesk.testing.secrets import SECRETS

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

CATALOG = Catalog.parse(
    """
[products.ebook]
name = "The little book of webhooks"
price = "$19"

[plans.starter]
name = "Starter"
price = "$9/mo"

[plans.pro]
name = "Pro"
price = ["$29/mo", "$290/yr"]
seats_max = 9
"""
)

shelf = Table("shelf", MetaData(), Column("id", Integer, primary_key=True), Column("sku", String, nullable=False))


class Shop:
    """One app, made once for all tests, as apps are. `mails` is its outside world."""

    def __init__(self) -> None:
        self.desk = Paydesk(Settings.read({**SECRETS, "DATABASE_URL": "sqlite:///never-opened.db"}), catalog=CATALOG)
        self.mails: list[str] = []
        self.breaks: BaseException | None = None
        self.app = FastAPI(lifespan=self.desk.lifespan)
        self.app.include_router(self.desk.router(user=_user))
        self.desk.on(OrderPaid)(self._deliver)
        self.desk.on("customer.subscription.created")(self._greet)

    def shelf(self) -> list[str]:
        """What was delivered."""
        with self.desk.store.read() as connection:
            return list(connection.scalars(select(shelf.c.sku)))

    def _deliver(self, paid: OrderPaid, db: Session) -> None:
        db.execute(shelf.insert().values(sku=paid.order.sku))
        if self.breaks is not None:
            raise self.breaks

    def _greet(self, event: Any) -> None:
        self.mails.append(event.type)


async def _user(request: Request) -> User | None:
    name = request.headers.get("x-user")
    return User(name, f"{name}@example.com") if name else None
