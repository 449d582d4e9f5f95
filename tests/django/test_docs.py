"""docs/django.md: what it says can be pasted, can be."""

from __future__ import annotations

import re
import sys
import types
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import Client, RequestFactory, override_settings

from paydesk.django import desk, owner
from paydesk.django.lazy import lazy
from tests.billing.paying import pay
from tests.django.deliveries import deliver_all
from tests.django.shelf import models as shelf
from tests.docs.blocks import blocks

if TYPE_CHECKING:
    from collections.abc import Callable

    import stripe

DATABASE = pytest.mark.usefixtures("database", "secrets")


@pytest.fixture
def pasted(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """The file of the page that begins with this comment, in an app called shelf."""
    monkeypatch.setitem(sys.modules, "shelf", types.ModuleType("shelf"))
    monkeypatch.setitem(sys.modules, "shelf.models", shelf)

    def of(name: str) -> Any:
        (code,) = (block for block in blocks("docs/django.md", "python") if block.startswith(f"# {name}"))
        module = types.ModuleType(f"pasted_{re.sub(r'[^a-z]', '_', name)}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(code, f"docs/django.md: {name}", "exec"), module.__dict__)  # noqa: S102 - our own page
        return module

    return of


@DATABASE
def test_the_handler_of_the_page_delivers(
    pasted: Callable[[str], Any], client: stripe.StripeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is bought is on the shelf, once."""
    # A desk of this test alone: what is registered with the project's stays for the next ones.
    monkeypatch.setattr("paydesk.django.desk", lazy.itself())
    pasted("shelf/billing.py")
    desk.catalog.push(client)

    checkout = desk.checkout("ebook", user=User.objects.create_user("ada"))
    pay(checkout.url)
    deliver_all(client, desk)
    desk.work()

    assert [copy.order_id for copy in shelf.Copy.objects.all()] == [checkout.order.id]


@DATABASE
def test_the_urls_gate_and_owner_of_the_page_work(pasted: Callable[[str], Any]) -> None:
    """The prices are there; a team that has no plan is shown what to do."""
    shelf.Team.objects.create(code="red", email="red@example.com")
    said = pasted("settings.py")
    assert {"paydesk.django"} <= set(said.INSTALLED_APPS)

    with override_settings(
        ROOT_URLCONF=tuple(pasted("urls.py").urlpatterns),
        PAYDESK={**settings.PAYDESK, **said.PAYDESK, "OWNER": pasted("shelf/teams.py").owner_of},
    ):
        page = Client().get("/pricing").content.decode()
        request = RequestFactory().get("/drafts?team=red")
        found, refused = owner(request), pasted("shelf/views.py").drafts(request)

    assert "The reading room" in page
    assert found is not None
    assert (found.id, refused.status_code) == ("red", 403)


@DATABASE
def test_the_template_of_the_page_shows_buttons() -> None:
    """To whoever is not signed in as well."""
    (template,) = blocks("docs/django.md", "html")

    shown = Template(template).render(Context({"request": RequestFactory().get("/")}))

    assert "Buy The little book of webhooks – $19" in shown
    assert "Pro – $29 / month" in shown
