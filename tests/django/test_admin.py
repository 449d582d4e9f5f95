"""Billing in Django's admin: read by whoever may, changed by nobody, tried and read again by some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings
from django.urls import reverse

from paydesk import User as Payer
from paydesk.billing.settings import Settings
from paydesk.django import desk
from paydesk.django.models import Customer, Effect, Event, Order
from paydesk.django.stripes_dashboard import page_of
from tests.billing.inbox.deliveries import SECRET
from tests.billing.paying import pay
from tests.django.deliveries import deliver_all

if TYPE_CHECKING:
    import stripe

pytestmark = pytest.mark.usefixtures("database", "secrets")


@pytest.fixture
def sold(client: stripe.StripeClient) -> str:
    """Somebody has bought; answers the order's id."""
    desk.catalog.push(client)
    checkout = desk.checkout("ebook", user=Payer("ada", "ada@example.com"))
    pay(checkout.url)
    deliver_all(client, desk)
    desk.work()
    return checkout.order.id


@pytest.fixture
def owner() -> Client:
    """The admin site, as its superuser sees it."""
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))
    return browser


def test_every_model_can_be_looked_at(sold: str, owner: Client) -> None:
    """Lists with something in them, searched and filtered, and each row's own page."""
    seen = 0
    for model in apps.get_app_config("paydesk").get_models():
        if not admin.site.is_registered(model):
            continue
        name = model._meta.model_name
        listed = owner.get(reverse(f"admin:paydesk_{name}_changelist"), {"q": "ada"})
        assert listed.status_code == 200, name
        for row in model._default_manager.all()[:2]:
            shown = owner.get(reverse(f"admin:paydesk_{name}_change", args=[quote(row.pk)]))
            assert shown.status_code == 200, name
            seen += 1
    assert seen >= 6


def test_an_order_shows_its_amount_as_people_write_it(sold: str, owner: Client) -> None:
    """And the whole Checkout Session beside it."""
    page = owner.get(reverse("admin:paydesk_order_changelist")).content.decode()
    shown = owner.get(reverse("admin:paydesk_order_change", args=[quote(sold)])).content.decode()

    assert "$19.00" in page
    assert "checkout.session" in shown
    assert "$19.00" in shown
    assert "_secret_" not in shown
    assert "Save" not in shown


def test_a_key_that_somebody_wrote_into_an_object_is_not_shown(sold: str, owner: Client) -> None:
    """Metadata and descriptions hold what people paste into them."""
    key = "sk_test_" + "pasted"
    with desk.store.write() as connection:
        connection.execute(desk.store.tables.orders.update().values(object={"metadata": {"note": f"used {key}"}}))

    shown = owner.get(reverse("admin:paydesk_order_change", args=[quote(sold)])).content.decode()

    assert "used sk_test_***" in shown
    assert key not in shown


def test_nothing_is_added_changed_or_deleted(sold: str, owner: Client) -> None:
    """The superuser has no more power over what is at Stripe than anybody else."""
    at = reverse("admin:paydesk_order_change", args=[quote(sold)])

    answers = [
        owner.post(at, {"status": "refunded"}),
        owner.get(reverse("admin:paydesk_order_add")),
        owner.post(reverse("admin:paydesk_order_delete", args=[quote(sold)]), {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 3
    assert Order.objects.get().status == "paid"


def act(browser: Client, model: str, action: str, key: object) -> str:
    """Choose a row and an action; answers the page that comes."""
    at = reverse(f"admin:paydesk_{model}_changelist")
    return browser.post(at, {"action": action, "_selected_action": [key]}, follow=True).content.decode()


def test_a_row_is_read_again_from_stripe(sold: str, owner: Client, client: stripe.StripeClient) -> None:
    """Support sees at once what somebody has just changed at Stripe."""
    customer = Customer.objects.get()
    client.v1.customers.update(str(customer.stripe_id), {"name": "Ada Lovelace"})

    told = act(owner, "customer", "read_again", customer.pk)

    assert "1 read from Stripe." in told
    assert Customer.objects.get().name == "Ada Lovelace"


@pytest.mark.parametrize("model", ["order", "payment", "price", "product"])
def test_every_kind_of_row_can_be_read_again(sold: str, owner: Client, model: str) -> None:
    """Each in its own lane."""
    row = apps.get_model("paydesk", model)._default_manager.first()
    assert row is not None

    assert "1 read from Stripe." in act(owner, model, "read_again", row.pk)


def test_what_stripe_refuses_is_told_in_a_sentence(sold: str, owner: Client, secrets: dict[str, Any]) -> None:
    """No traceback in the admin while Stripe is away."""
    with override_settings(PAYDESK={**secrets, "STRIPE_API_BASE": "http://127.0.0.1:1"}):
        told = act(owner, "order", "read_again", sold)

    assert "0 read from Stripe." in told
    assert "errorlist" in told or 'class="error"' in told


def test_an_event_is_tried_again(sold: str, owner: Client) -> None:
    """One that was given up is due at once, and what is applied stays so."""
    event = Event.objects.filter(type="checkout.session.completed").get()
    table = desk.store.tables.events
    with desk.store.write() as connection:
        connection.execute(table.update().where(table.c.id == event.id).values(state="dead", attempts=9))

    told, again = act(owner, "event", "try_again", event.pk), Event.objects.get(pk=event.pk)
    desk.work()

    assert "1 will be tried again" in told
    assert (again.state, again.attempts) == ("received", 0)
    assert Event.objects.get(pk=event.pk).state == "applied"
    assert "0 will be tried again" in act(owner, "event", "try_again", event.pk)


def test_a_handler_that_failed_is_run_again(sold: str, owner: Client) -> None:
    """Its traceback is on its page; the button makes it due."""
    row = {"source": f"fact:order.paid:{sold}", "handler": "shop.deliver", "state": "dead", "attempts": 9}
    with desk.store.write() as connection:
        now = Order.objects.get().created_at
        told = {"last_error": "RuntimeError: the printer is on fire", "next_at": now, "created_at": now}
        connection.execute(desk.store.tables.effects.insert().values(**row, **told))
    effect = Effect.objects.get()

    page = owner.get(reverse("admin:paydesk_effect_change", args=[quote(effect.pk)])).content.decode()
    act(owner, "effect", "try_again", effect.pk)

    assert "the printer is on fire" in page
    assert Effect.objects.get().state == "waiting"


def test_who_may_only_look_is_offered_nothing_to_do(sold: str) -> None:
    """Support may view orders; who may try again is another permission."""
    support = User.objects.create_user("support", is_staff=True)
    support.user_permissions.add(Permission.objects.get(codename="view_order"))
    browser = Client()
    browser.force_login(support)

    page = browser.get(reverse("admin:paydesk_order_changelist"))
    events = browser.get(reverse("admin:paydesk_event_changelist"))

    assert page.status_code == 200
    assert "Read again from Stripe" not in page.content.decode()
    assert events.status_code == 403


def test_an_objects_page_in_stripes_dashboard_is_linked() -> None:
    """Test and live have pages of their own; a local Stripe has none."""
    said = {"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": SECRET, "BASE_URL": "https://shop.example"}
    real, local = Settings.read(said), Settings.read({**said, "STRIPE_API_BASE": "http://127.0.0.1:1"})

    assert page_of("pi_1", real, livemode=False) == "https://dashboard.stripe.com/test/payments/pi_1"
    assert page_of("sub_1", real, livemode=True) == "https://dashboard.stripe.com/subscriptions/sub_1"
    assert page_of("cus_1", real, livemode=None) == "https://dashboard.stripe.com/test/customers/cus_1"
    assert page_of("cus_1", local, livemode=None) is None
    assert page_of("order.paid:ord_1", real, livemode=None) is None
    assert page_of(None, real, livemode=None) is None
