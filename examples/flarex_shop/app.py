"""A shop on FlareX: things to buy, plans to have, a shelf of what was bought, and a few lines about money."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select, update
from sqlalchemy.orm import Session

from paydesk import DisputeOpened, OrderPaid, OrderRefunded, Paydesk, User

desk = Paydesk(name="FlareX shop")  # Secrets from the environment, the catalog from paydesk.toml
app = FastAPI(title="FlareX shop", lifespan=desk.lifespan)

# The app's own table, in the app's own database.
shelf = Table(
    "shelf",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("owner", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("order_id", String, nullable=False),
    Column("state", String, nullable=False, default="yours"),
)
shelf.metadata.create_all(desk.store.engine)


def current_user(request: Request) -> User | None:
    """Who is here. A real shop asks a session; this one believes a cookie."""
    name = request.cookies.get("name")
    return User(id=name, email=f"{name}@example.com") if name else None


app.include_router(desk.router(user=current_user))


@desk.on(OrderPaid)
def deliver(paid: OrderPaid, db: Session) -> None:
    """Put it on the shelf: once for each order, whatever Stripe says how often."""
    order = paid.order
    db.execute(insert(shelf).values(owner=order.user_id or order.email, sku=order.sku, order_id=order.id))


@desk.on(OrderRefunded)
def take_back(refunded: OrderRefunded, db: Session) -> None:
    """Money back, thing back."""
    if refunded.is_full:
        db.execute(update(shelf).where(shelf.c.order_id == refunded.order.id).values(state="returned"))


@desk.on(DisputeOpened)
def hold(opened: DisputeOpened, db: Session) -> None:
    """Somebody went to their bank: keep the thing until that is settled."""
    if opened.order is not None:  # or else it is about a plan
        db.execute(update(shelf).where(shelf.c.order_id == opened.order.id).values(state="on hold"))


@app.get("/", response_class=HTMLResponse)
def home(request: Request) -> str:
    """What is on the visitor's shelf."""
    user = current_user(request)
    if user is None:
        return PAGE.format(body=SIGN_IN)
    with desk.store.engine.connect() as connection:
        rows = connection.execute(select(shelf).where(shelf.c.owner == user.id).order_by(shelf.c.id)).all()
    things = "".join(f"<li>{escape(row.sku)} <small>{escape(row.state)}</small></li>" for row in rows)
    drafts = "<p>The drafts are <b>open to you</b>.</p>" if desk.allows(user, "drafts") else ""
    return PAGE.format(
        body=f"<p>Hello {escape(user.id)}. Your shelf:</p><ul>{things or '<li><i>nothing yet</i></li>'}</ul>{drafts}"
        '<p><a class="button" href="/pricing">Buy something</a> <a href="/account">Your account</a></p>'
    )


@app.post("/sign-in")
async def sign_in(request: Request) -> RedirectResponse:
    """Toy sign-in: a name is enough."""
    form = parse_qs((await request.body()).decode())
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie("name", form.get("name", ["ada"])[0][:40], httponly=True, samesite="lax")
    return answer


@app.get("/stock")
def stock() -> dict[str, int]:
    """How many of each thing were delivered."""
    with desk.store.engine.connect() as connection:
        counted = select(shelf.c.sku, func.count().label("delivered")).group_by(shelf.c.sku)
        return {row.sku: row.delivered for row in connection.execute(counted)}


SIGN_IN = """<p>Who are you?</p>
<form method="post" action="/sign-in">
<label>Name <input name="name" value="ada" autofocus></label> <button>Come in</button></form>"""
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>FlareX shop</title>
<style>
body {{ font: 1.1rem/1.6 system-ui; max-width: 34rem; margin: 12vh auto; padding: 0 1.2rem; color-scheme: light dark }}
a.button, button {{ background: #5b3df5; color: #fff; padding: .55rem 1.1rem; border: 0; border-radius: .6rem;
  text-decoration: none; font: inherit }}
input {{ font: inherit; padding: .45rem .6rem }}
small {{ opacity: .65 }}
</style>
<h1>FlareX shop</h1>{body}</html>"""
