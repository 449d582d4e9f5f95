"""What is particular to our routes in a Django project; tests/contracts/web holds the rest."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.urls import include, path, reverse

from paydesk import ConfigurationError, UnknownFeature
from paydesk.billing.web.routes import routes_of
from paydesk.django import desk, owner, require
from paydesk.django.mount import prefix
from paydesk.django.owners import payer
from paydesk.django.urls import urlpatterns
from tests.billing.paying import pay
from tests.django.deliveries import events_of, signed
from tests.django.shelf.models import Team

if TYPE_CHECKING:
    import stripe

DATABASE = pytest.mark.usefixtures("database", "secrets")


@DATABASE
def test_every_route_of_the_desk_has_its_address() -> None:
    """A route that is new is here too, at the address it has everywhere."""
    assert [(route.name, route.path) for route in routes_of(desk)] == [
        (each.name, reverse(f"paydesk:{each.name}")) for each in urlpatterns
    ]


@DATABASE
def test_whoever_is_signed_in_with_django_is_who_pays(client: stripe.StripeClient) -> None:
    """request.user buys, and finds the order under their own account."""
    desk.catalog.push(client)
    ada = User.objects.create_user("ada", "ada@example.com")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)

    sent = browser.post(reverse("paydesk:checkout"), "sku=ebook", "application/x-www-form-urlencoded")
    back = pay(sent["Location"]).location
    assert back is not None
    thanks = browser.get(back.removeprefix("https://shop.example"))
    (event,) = events_of(client, "checkout.session.completed")
    body, signature = signed(event)
    told = browser.post("/webhooks/stripe", body, "application/json", headers={"Stripe-Signature": signature})

    assert b"Thank you!" in thanks.content
    assert (told.status_code, told.json()) == (200, {"received": True})
    assert [order.user_id for order in desk.orders(ada)] == [str(ada.pk)]
    assert Client().get(back.removeprefix("https://shop.example")).status_code == 404


@DATABASE
def test_a_team_pays_where_the_project_says_so(client: stripe.StripeClient) -> None:
    """OWNER names a function: whatever model it answers is who pays, by its key."""
    desk.catalog.push(client)
    Team.objects.create(code="red", email="red@example.com")

    with override_settings(PAYDESK={**settings.PAYDESK, "OWNER": "tests.django.test_routes.team_of"}):
        sent = Client().post("/checkout?team=red", "sku=ebook", "application/x-www-form-urlencoded")
        orders = desk.orders(payer(Team.objects.get()) or pytest.fail("a team is nobody"))

    assert sent.status_code == 303
    assert [(order.user_id, order.status) for order in orders] == [("red", "pending")]


def team_of(request: HttpRequest) -> Team | None:
    return Team.objects.filter(code=request.GET.get("team")).first()


def test_a_user_is_known_by_its_key_and_by_the_address_it_names() -> None:
    """Custom user models call both as they like."""
    found = [
        payer(None),
        payer(AnonymousUser()),
        payer(Team(code="red", email="red@example.com")),
        payer(User(pk=7, username="ada", email="")),
        payer(Member(pk=8, email="not this one")),
    ]

    told = [(each.id, each.email) if each is not None else None for each in found]
    assert told == [None, None, ("red", "red@example.com"), ("7", None), ("8", "ada@post.example")]


class Member(User):
    """A user whose address is in a field of another name."""

    post = "ada@post.example"

    class Meta:
        app_label = "shelf"
        proxy = True

    @classmethod
    def get_email_field_name(cls) -> str:
        return "post"


def test_without_djangos_users_everybody_is_a_guest() -> None:
    """A project may have no AuthenticationMiddleware."""
    assert owner(RequestFactory().get("/")) is None


@DATABASE
def test_our_views_do_not_depend_on_the_requests_transaction(database: dict[str, Any]) -> None:
    """ATOMIC_REQUESTS wraps every view of the project but ours: on SQLite they would wait for themselves."""
    connections["default"].settings_dict["ATOMIC_REQUESTS"] = True

    body, signature = signed({"id": "evt_1", "object": "event", "type": "customer.created", "livemode": False,
                              "created": 1, "data": {"object": {"id": "cus_1", "object": "customer"}}})  # fmt: skip
    answer = Client().post("/webhooks/stripe", body, "application/json", headers={"Stripe-Signature": signature})

    assert answer.status_code == 200


def test_where_the_project_has_put_the_routes_is_found_out() -> None:
    """The desk's links go where urls.py says; nowhere is a mistake that says what to add."""
    with override_settings(ROOT_URLCONF=(path("money/billing/", include("paydesk.django.urls")),)):
        assert prefix() == "/money/billing"
    with override_settings(ROOT_URLCONF=()), pytest.raises(ConfigurationError, match="include"):
        prefix()


@DATABASE
def test_a_gate_that_no_plan_could_open_is_a_mistake() -> None:
    """A misspelt code must not lock everybody out in silence."""

    @require("exprot")
    def page(_request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    with pytest.raises(UnknownFeature):
        page(RequestFactory().get("/"))


@DATABASE
def test_the_routes_are_there_under_asgi() -> None:
    """A project may be served by an event loop: our views are run beside it."""
    event = {"id": "evt_1", "object": "event", "type": "customer.created", "livemode": False, "created": 1}
    body, signature = signed({**event, "data": {"object": {"id": "cus_1", "object": "customer"}}})

    async def ask() -> tuple[int, int]:
        browser = AsyncClient()
        page = await browser.get("/pricing")
        told = await browser.post("/webhooks/stripe", body, "application/json", headers={"Stripe-Signature": signature})
        return page.status_code, told.status_code

    assert asyncio.run(ask()) == (200, 200)


@DATABASE
def test_coroutines_are_guarded_too() -> None:
    """An async view is behind the same gate."""

    @require("pro")
    async def page(_request: HttpRequest) -> HttpResponse:
        return HttpResponse("inside")

    answer = asyncio.run(page(RequestFactory().get("/")))

    assert answer.status_code == 401
