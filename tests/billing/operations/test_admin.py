"""The admin page's rooms: what they show, in every state, and what they never show."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from paydesk import User
from paydesk.billing.catalog import Catalog
from paydesk.billing.desk import Paydesk
from paydesk.billing.settings import Settings
from paydesk.billing.store.migrations import migrate
from paydesk.billing.store.store import Store
from paydesk.billing.web.admin.admin import PATH, ROOMS
from paydesk.billing.web.routes import Asked, routes_of
from paydesk.errors import ConfigurationError
from tests.billing.till import CATALOG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Table

    from paydesk.billing.web.answers import Answer

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SECRET = "whsec_admin" + "istrator"


class Office:
    """Somebody who may see the admin page, at it."""

    def __init__(self, folder: Path) -> None:
        secrets = {
            "STRIPE_SECRET_KEY": "sk_test_admin",
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_API_BASE": "http://127.0.0.1:9",
            "BASE_URL": "https://shop.example",
            "DATABASE_URL": f"sqlite:///{folder / 'app.db'}",
        }
        catalog = Catalog.parse(CATALOG)
        self.desk = Paydesk(Settings.read(secrets), catalog=catalog, name="The Bookshop", now=lambda: NOW)
        self.desk.admin(allow=lambda user: True)
        self.tables = self.desk.store.tables
        self._routes = {route.path: route for route in routes_of(self.desk)}

    def asks(self, where: str, method: str = "GET", form: str = "") -> Answer:
        path, _, query = where.partition("?")
        asked = Asked(method, {"origin": "https://shop.example"}, query, form.encode(), User("ada"))
        return self._routes[f"{PATH}{path}"].answer(asked)

    def sees(self, where: str) -> str:
        """The page's words, with each stretch of white space as one blank."""
        answer = self.asks(where)
        assert answer.status == 200, answer.body
        return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", answer.body.decode(), flags=re.DOTALL).split())

    def put(self, table: Table, *rows: dict[str, Any]) -> None:
        with self.desk.store.write() as connection:
            for row in rows:
                connection.execute(table.insert().values(**row))


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("office") / "app.db"
    store = Store.open(f"sqlite:///{file}")
    migrate(store)
    store.close()
    return file


@pytest.fixture
def office(empty_file: Path, tmp_path: Path) -> Iterator[Office]:
    (tmp_path / "app.db").write_bytes(empty_file.read_bytes())
    opened = Office(tmp_path)
    yield opened
    opened.desk.close()


def event(number: int, **changes: Any) -> dict[str, Any]:
    moment = NOW - timedelta(minutes=1000 - number)
    usual = {"id": f"evt_{number}", "type": "invoice.paid", "lane": f"cus_{number % 3}", "object_id": f"in_{number}"}
    kept = {"livemode": False, "created": 0, "payload": "{}", "state": "applied", "received_at": moment}
    return {**usual, **kept, "next_at": moment, **changes}


def order(number: int, **changes: Any) -> dict[str, Any]:
    moment = NOW - timedelta(minutes=1000 - number)
    usual = {"id": f"ord_{number:03}", "user_id": "ada", "sku": "ebook", "quantity": 1, "livemode": False}
    costs = {"amount_minor": 1900, "currency": "usd", "status": "paid", "created_at": moment, "updated_at": moment}
    return {**usual, **costs, **changes}


@pytest.mark.parametrize("answer", ["yes", 1, object(), None, False])
def test_only_true_opens_the_page(office: Office, answer: object) -> None:
    """A function that answers something else by mistake lets nobody in."""
    careless: Any = {"ada": answer}
    office.desk.admin(allow=lambda user: careless[user.id])

    assert office.asks("").status == 404


def test_a_coroutine_cannot_open_the_page(office: Office) -> None:
    """What it gives is true before anybody has awaited it: refused at the start."""

    async def allow(user: User) -> bool:
        return False

    coroutine: Any = allow
    with pytest.raises(ConfigurationError, match="plain function"):
        office.desk.admin(allow=coroutine)


LISTS = [room for room in ROOMS if room.label is not None]


@pytest.mark.parametrize("room", LISTS, ids=[room.name for room in LISTS])
def test_every_room_is_there_when_there_is_nothing_yet(office: Office, room: Any) -> None:
    """A shop on its first day sees a page in words, with the way to all others, and no script."""
    answer = office.asks(room.path)
    html = answer.body.decode()

    assert answer.status == 200
    assert "<script" not in html
    assert [each.path for each in LISTS if f'href="{PATH}{each.path}"' not in html] == []
    assert html.count('aria-current="page"') == 1


@pytest.mark.parametrize(
    "where", ["/event?id=evt_none", "/event", "/effect?id=7", "/effect?id=x", f"/effect?id={'9' * 40}"]
)
def test_what_is_not_there_is_said(office: Office, where: str) -> None:
    """A mistyped address is no crash."""
    assert office.asks(where).status == 404


@pytest.mark.parametrize(
    "where",
    [
        "/events?state=drop+table",
        "/events?state=received'--",
        "/events?after=evt_none",
        "/effects?after=x",
        "/orders?after=ord_none",
        "/orders?status=%00",
        "/subscriptions?status=gone",
        "/events?" + "&".join(f"a{number}=1" for number in range(100)),
        "?retried=soon",
    ],
)
def test_a_strange_address_is_no_crash(office: Office, where: str) -> None:
    """What it does not understand it leaves out."""
    assert office.asks(where).status == 200


def test_the_overview_says_what_is_wrong(office: Office) -> None:
    """At a glance, with where to look."""
    well = office.sees("")
    office.put(office.tables.events, event(1, state="received"), event(2, state="dead"))

    ill = office.sees("")

    assert "All is well" in well
    assert "Something is wrong late" in ill
    assert "Received 1 Parked 0 Dead 1" in ill


def test_events_are_paged_and_narrowed(office: Office) -> None:
    """Fifty a page, newest first, each once."""
    office.put(office.tables.events, *(event(number) for number in range(120)), event(120, state="dead"))
    seen: list[str] = []
    where: str | None = "/events"
    while where is not None:
        html = office.asks(where).body.decode()
        seen += re.findall(r"<code>(evt_\d+)</code>", html)
        older = re.search(rf'href="{PATH}(/events\?after=[^"]+)"', html)
        where = older[1] if older else None

    assert seen == [f"evt_{number}" for number in reversed(range(121))]
    assert re.findall(r"<code>(evt_\d+)</code>", office.asks("/events?state=dead").body.decode()) == ["evt_120"]
    assert "evt_7 " in office.sees("/events?about=in_7")


def test_an_event_shows_why_and_what_but_no_secret(office: Office) -> None:
    """The traceback, and what Stripe sent without what opens a door."""
    payment = {"id": "pi_1", "client_secret": "pi_1_secret_abc", "amount": 1900, "note": f"{SECRET} sk_test_leaked"}
    payload = json.dumps({"id": "evt_1", "data": {"object": payment, "previous_attributes": {"a": [payment]}}})
    error = f"Traceback (most recent call last):\nRuntimeError: refused {SECRET}"
    office.put(office.tables.events, event(1, state="dead", attempts=20, payload=payload, last_error=error))

    page, listed = office.sees("/event?id=evt_1"), office.sees("/events")

    assert "Traceback (most recent call last): RuntimeError: refused whsec_***" in page
    assert "1900" in page
    assert [secret for secret in (SECRET, "pi_1_secret_abc", "sk_test_leaked") if secret in page + listed] == []


def test_all_dead_events_are_tried_again_by_one_button(office: Office) -> None:
    """And nothing that is applied."""
    office.put(office.tables.events, event(1, state="dead"), event(2, state="dead"), event(3))

    back = office.asks("/events", "POST").headers["Location"].partition(PATH)[2]

    assert "2 will be tried again at once." in office.sees(back)
    assert "Received 2 Parked 0 Dead 0" in office.sees("")


@pytest.mark.parametrize("form", ["", "id=", "id=x", "id=-1", "id=1e3", "id=99999999999999999999", "id=%00"])
def test_a_form_that_names_nothing_tries_nothing_again(office: Office, form: str) -> None:
    """The button beside one dead letter runs that one: what it does not find is no reason to run all."""
    office.put(office.tables.events, event(1, state="dead"))
    effect = {"source": "event:evt_1", "handler": "shop.deliver", "state": "dead", "attempts": 20}
    office.put(office.tables.effects, {**effect, "next_at": NOW, "created_at": NOW})

    statuses = [office.asks(where, "POST", form).status for where in ("/event", "/effect")]

    waiting = office.desk.operations.backlog.waiting()
    assert statuses == [303, 303]
    assert (waiting.events["dead"], waiting.effects["dead"]) == (1, 1)


def test_lanes_show_who_works_and_what_is_left_alone(office: Office) -> None:
    """A lane that Stripe does not answer for says until when."""
    tables, soon = office.tables, NOW + timedelta(minutes=2)
    office.put(tables.events, event(1, state="received"), event(2, state="received"), event(4, state="parked"))
    office.put(
        tables.lanes,
        {"lane": "cus_1", "due_at": soon, "lease_token": 3, "failures": 4},
        {"lane": "cus_2", "due_at": NOW, "lease_token": 1, "lease_owner": "host:1", "lease_expires_at": soon},
    )

    page = office.sees("/lanes")

    assert "cus_1 2 16 hours ago nobody now Stripe did not answer 4 times: until 2026-11-25 12:02:00 UTC" in page
    assert "cus_2 1 16 hours ago host:1" in page


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (1900, "usd", "$19.00"),
        (1, "usd", "$0.01"),
        (1999, "eur", "€19.99"),
        (500, "jpy", "¥500"),
        (12345, "kwd", "KWD 12.345"),
    ],
)
def test_amounts_are_right_to_the_smallest_unit(office: Office, amount: int, currency: str, shown: str) -> None:
    """Whatever that unit is in the currency."""
    office.put(office.tables.orders, order(1, amount_minor=amount, currency=currency, status="refunded"))

    assert shown in office.sees("/orders").replace("\u00a0", " ")


def test_orders_are_paged_and_of_the_key_s_mode(office: Office) -> None:
    """Fifty a page, also where many were begun in one second; live ones are another world."""
    same = NOW - timedelta(hours=1)
    rows = [order(number, created_at=same) for number in range(60)]
    office.put(office.tables.orders, *rows, order(99, livemode=True), order(98, status="pending", user_id="bob"))
    first = office.asks("/orders?status=paid").body.decode()
    older = re.search(rf'href="{PATH}(/orders\?after=[^"]+)"', first)
    assert older is not None

    second = office.asks(older[1].replace("&amp;", "&")).body.decode()

    seen = re.findall(r"<code>(ord_\d+)</code>", first + second)
    assert seen == [f"ord_{number:03}" for number in reversed(range(60))]
    assert re.findall(r"<code>(ord_\d+)</code>", office.asks("/orders?user=bob").body.decode()) == ["ord_098"]


def test_income_is_drawn_and_told(office: Office) -> None:
    """A picture in words for who does not see it, and the numbers below."""
    begun = {"created_at": NOW - timedelta(days=60), "user_id": "ada", "slot": "main", "seats": 1, "livemode": False}
    costs = {"currency": "usd", "billed_every": "year", "amount_minor": 29000}
    office.put(
        office.tables.subscriptions,
        {"id": "sub_1", "status": "active", "plan": "pro", **costs, **begun},
        {"id": "sub_2", "status": "canceled", "ended_at": NOW - timedelta(days=30), **costs, **begun},
    )

    html, page = office.asks("/income").body.decode(), office.sees("/income")

    assert html.count("<svg") == 2
    assert 'aria-label="Monthly recurring revenue in USD: $24.17 now.' in html
    assert "Oct 2026 $24.17 1 0 1 50.0 %" in page
    assert "Nov 2026 so far $24.17 1 0 0 0.0 %" in page
    assert "before discounts and taxes" in page
    assert "pro $290.00 / year active" in office.sees("/subscriptions")


def test_names_from_outside_are_words_and_no_markup(office: Office) -> None:
    """Whoever buys under a strange name does not get into the operator's page."""
    office.put(office.tables.orders, order(1, user_id="<script>alert(1)</script>", sku="<img src=x>"))

    html = office.asks("/orders").body.decode()

    assert "<script>alert" not in html
    assert "<img" not in html


def test_a_database_that_is_away_is_said(office: Office) -> None:
    """A page with a reason to come back, for whoever looks because something is wrong."""
    with office.desk.store.write() as connection:
        office.tables.events.drop(connection)

    answer = office.asks("/events")

    assert answer.status == 503
    assert b"The database cannot be asked" in answer.body
