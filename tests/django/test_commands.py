"""`manage.py paydesk …`: the commands, at the project's own desk and database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
import pytest
from django.core.management import call_command
from django.test import override_settings

from paydesk.django import desk
from tests.django.deliveries import deliver_all

if TYPE_CHECKING:
    import stripe

Printed = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("database", "secrets")


def test_the_inbox_is_that_of_djangos_database(client: stripe.StripeClient, capsys: Printed) -> None:
    """No URL to pass on: the desk and its database are the project's."""
    client.v1.customers.create({"email": "ada@example.com"})
    deliver_all(client, desk)

    call_command("paydesk", "events", "list", "--json")

    (event,) = json.loads(capsys.readouterr().out)
    assert (event["type"], event["state"]) == ("customer.created", "received")


def test_sync_and_verify_are_done_at_the_projects_desk(client: stripe.StripeClient, capsys: Printed) -> None:
    """The Secrets are those of settings.py."""
    client.v1.customers.create({"email": "ada@example.com"})

    call_command("paydesk", "sync", "--json")
    call_command("paydesk", "verify", "--json")

    synced, verified = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert synced["events_found"] == 1
    assert verified["drifts"] == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["migrate"], "manage.py migrate"),
        (["events", "list", "--database-url", "sqlite:///other.db"], "the app's own"),
    ],
)
def test_what_django_does_is_left_to_django(arguments: list[str], told: str) -> None:
    """There is one way to migrate, and one database."""
    with pytest.raises(click.UsageError, match=told):
        call_command("paydesk", *arguments)


def test_a_project_that_is_set_up_wrongly_is_told_in_a_sentence(secrets: dict[str, Any]) -> None:
    """No traceback for a missing key."""
    with (
        override_settings(PAYDESK={**secrets, "STRIPE_SECRET_KEY": "pk_test_browser"}),
        pytest.raises(click.ClickException, match="publishable key"),
    ):
        call_command("paydesk", "verify")
