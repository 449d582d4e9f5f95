"""The app that `bench.soak` kills: it writes down, on the handler's own transaction, what it was told of."""

from __future__ import annotations

from fastapi import FastAPI
from sqlalchemy import Column, MetaData, Table, Text
from sqlalchemy.orm import Session

from bench.stripe_objects import CATALOG
from paydesk import Catalog, Paydesk, StripeEvent

# Nothing here is unique: what is done twice is seen twice.
told = Table("told", MetaData(), Column("what", Text))

desk = Paydesk(catalog=Catalog.parse(CATALOG))

app = FastAPI(lifespan=desk.lifespan)
app.include_router(desk.router())


@desk.on("customer.subscription.updated")
def note_update(event: StripeEvent, db: Session) -> None:
    db.execute(told.insert().values(what=event.id))


@desk.on("invoice.paid")
def note_invoice(event: StripeEvent, db: Session) -> None:
    db.execute(told.insert().values(what=event.id))
