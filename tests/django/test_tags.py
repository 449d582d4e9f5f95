"""`{% load paydesk %}`: gates and buttons in a project's own templates."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.template import Context, Template, TemplateSyntaxError
from django.test import Client, RequestFactory

from paydesk import UnknownFeature, UnknownProduct
from paydesk.django import desk

if TYPE_CHECKING:
    import stripe

    from tests.conftest import LocalStripe

pytestmark = pytest.mark.usefixtures("database", "secrets")


def rendered(source: str, user: User | None = None, **values: Any) -> str:
    request: HttpRequest = RequestFactory().get("/")
    if user is not None:
        request.user = user
    return Template("{% load paydesk %}" + source).render(Context({"request": request, **values}))


def test_a_part_of_a_page_is_for_those_whose_plan_allows_it() -> None:
    """The others see what stands behind else."""
    ada = User.objects.create_user("ada")
    row = {"id": "sub_1", "user_id": str(ada.pk), "plan": "pro", "slot": "main", "status": "active", "seats": 1}
    with desk.store.write() as connection:
        subscriptions = desk.store.tables.subscriptions
        connection.execute(subscriptions.insert().values(**row, livemode=False, created_at=datetime.now(UTC)))
    gate = '{% if_allows "export" %}inside{% else %}outside{% endif_allows %}'

    assert rendered(gate, ada) == "inside"
    assert rendered(gate, User.objects.create_user("bob")) == "outside"
    assert rendered(gate) == "outside"
    assert rendered("{% if_allows code %}inside{% endif_allows %}", ada, code="pro") == "inside"
    assert rendered("{% if_allows code %}inside{% endif_allows %}", ada, code="starter") == ""


def test_what_no_plan_could_allow_is_a_mistake() -> None:
    """And so is a tag that asks for nothing."""
    with pytest.raises(UnknownFeature):
        rendered('{% if_allows "exprot" %}{% endif_allows %}')
    with pytest.raises(TemplateSyntaxError):
        rendered("{% if_allows %}{% endif_allows %}")
    with pytest.raises(UnknownProduct):
        rendered('{% buy_button "car" %}')


def test_buttons_say_what_they_cost_and_are_not_fooled_by_their_labels() -> None:
    """The catalog has names and prices; what a template passes on is text."""
    assert "Buy Mug – €12.50" in rendered('{% buy_button "mug" quantity=2 %}')
    assert 'name="quantity" value="2"' in rendered('{% buy_button "mug" quantity=2 %}')
    assert "Pro – $290 / year" in rendered('{% subscribe_button "pro" interval="year" %}')
    assert "&lt;script&gt;" in rendered('{% buy_button "mug" label %}', label="<script>")


def test_a_button_leads_to_stripes_page(client: stripe.StripeClient, local_stripe: LocalStripe) -> None:
    """As it stands, under Django's guard of forms."""
    desk.catalog.push(client)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.create_user("ada", "ada@example.com"))

    for tag in ('{% buy_button "ebook" %}', '{% subscribe_button "pro" %}'):
        page = rendered(tag)
        (action,) = re.findall(r'action="([^"]+)"', page)
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]+)"', page))
        sent = browser.post(action, urlencode(fields), "application/x-www-form-urlencoded")

        assert (sent.status_code, sent["Location"].startswith(local_stripe.url)) == (303, True)
