"""The drift report: what the last look at the whole mirror found, kept for everybody to see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from paydesk import User
from paydesk.billing.web.admin.admin import PATH
from paydesk.billing.web.routes import Asked, routes_of
from paydesk.errors import StripeUnavailable
from tests.waiting import until

if TYPE_CHECKING:
    import stripe

    from paydesk.billing.truth.reports import Report
    from tests.billing.conftest import Clock
    from tests.billing.till import Till
    from tests.billing.wire import Wire


def page(till: Till, method: str = "GET", form: str = "") -> tuple[int, str]:
    """The admin page's room about truth."""
    till.desk.admin(allow=lambda user: True)
    (route,) = [route for route in routes_of(till.desk) if route.path == f"{PATH}/truth"]
    answer = route.answer(Asked(method, {"origin": "https://shop.example"}, "", form.encode(), User("ada")))
    return answer.status, answer.body.decode()


def report_of(till: Till) -> Report:
    report = till.desk.report()
    assert report is not None
    return report


def test_a_look_at_the_whole_leaves_a_report(till: Till, second_till: Till, client: stripe.StripeClient) -> None:
    """In the database: another process of the app shows it too."""
    assert till.desk.report() is None
    till.deliver(client)
    till.desk.work()

    verified = till.desk.verify()

    report = report_of(second_till)
    assert (report.state, report.is_true, report.looked_at) == ("done", True, verified.looked_at)
    assert "All is true" in page(second_till)[1]


def test_what_is_not_so_is_in_it(till: Till, client: stripe.StripeClient) -> None:
    """Field by field, as the command prints it."""
    till.desk.sync()
    table = till.desk.store.tables.products
    with till.desk.store.write() as connection:
        connection.execute(table.update().where(table.c.id == "paydesk_mug").values(name="Jug"))

    till.desk.verify()

    (drift,) = report_of(till).drifts
    html = page(till)[1]
    assert (drift["kind"], drift["id"], drift["problem"]) == ("products", "paydesk_mug", "differs")
    assert drift["differences"] == [{"path": "name", "ours": "Jug", "theirs": "Mug"}]
    assert "is not as at Stripe" in html
    assert "repair what is not so" in html


def test_a_look_at_a_part_says_nothing_of_the_whole(till: Till) -> None:
    """The last whole one stays."""
    till.desk.verify(tables=["products"])

    assert till.desk.report() is None


def test_a_look_that_fails_says_why(till: Till, wire: Wire) -> None:
    """And where it failed is not taken for true."""
    wire.cut_before("GET /v1/customers")

    with pytest.raises(StripeUnavailable):
        till.desk.verify()

    report = report_of(till)
    assert (report.state, report.is_true) == ("failed", None)
    assert "/v1/customers" in str(report.error)
    assert "It could not be found out" in page(till)[1]


def test_a_process_that_died_on_the_way_is_told_from_one_at_work(till: Till, second_till: Till, clock: Clock) -> None:
    """It gave signs of life, and then none."""
    seen: list[tuple[str, str]] = []

    def look(*_: object) -> None:
        seen.append((report_of(second_till).state, page(second_till)[1]))
        raise _Killed

    with pytest.raises(_Killed):
        till.desk.verify(on_step=look)
    table = till.desk.store.tables.reports
    with till.desk.store.write() as connection:
        connection.execute(table.update().values(state="running"))
    clock.advance(minutes=3)

    ((state, html),) = seen
    assert state == "running"
    assert "Looking…" in html
    assert 'http-equiv="refresh"' in html
    assert report_of(second_till).state == "interrupted"
    assert "interrupted" in page(second_till)[1]


class _Killed(BaseException):
    """The process is gone."""


def test_the_button_looks_in_the_background(
    till: Till, second_till: Till, wire: Wire, client: stripe.StripeClient
) -> None:
    """The page is there at once; a second click, on any machine, begins nothing beside it."""
    till.deliver(client)
    till.desk.work()
    wire.calls.clear()
    with wire.held("GET /v1/products"):
        sent, _ = page(till, "POST")
        shown = page(second_till)[1]
        page(second_till, "POST")
    until(lambda: report_of(till).state == "done", "the report")

    assert sent == 303
    assert "Looking…" in shown
    assert len(wire.sent("GET /v1/products")) == 2  # the one that was held, and its second try
