"""Cards on the portal: a new one, the one that is used, the one that goes."""

from __future__ import annotations

import re
from typing import Any

import pytest
import stripe

from tests.emulator.invoicing import before, customer
from tests.emulator.pages.test_portal_page import post, show
from tests.emulator.paying import answer_bank, events
from tests.emulator.portal import path, session
from tests.emulator.wire import Reply, Wire

FORM = {
    "card_number": "4242 4242 4242 4242",
    "card_expiry": "12 / 40",
    "card_cvc": "123",
    "name": "Ada Lovelace",
    "country": "US",
    "postal_code": "42424",
}


def typed(visitor: Wire, at: stripe.billing_portal.Session, **changes: str) -> Reply:
    """Send a card, as a browser does."""
    return post(visitor, at, "/card", **(FORM | changes))


def default_of(client: stripe.StripeClient, owner: stripe.Customer) -> Any:
    """What the customer is charged by."""
    read = client.v1.customers.retrieve(owner.id, {"expand": ["invoice_settings.default_payment_method"]})
    assert read.invoice_settings is not None
    return read.invoice_settings.default_payment_method


def test_a_new_card_is_what_the_customer_is_charged_by(client: stripe.StripeClient, visitor: Wire) -> None:
    """A setup intent, the card attached, the default changed: the events the API would tell."""
    owner = customer(client)
    old = default_of(client, owner)
    at = session(client, owner)

    answer = typed(visitor, at, card_number="5555 5555 5555 4444")

    assert (answer.status, answer.headers["location"]) == (303, path(at, "?told=card"))
    assert default_of(client, owner).card.last4 == "4444"
    assert default_of(client, owner).billing_details.email == "ada@example.com"
    assert events(client, "billing_portal.session.created") == [
        "setup_intent.created",
        "payment_method.attached",
        "setup_intent.succeeded",
        "customer.updated",
    ]
    assert before(client, "customer.updated") == {"invoice_settings": {"default_payment_method": old.id}}


def test_a_declined_card_changes_nothing(client: stripe.StripeClient, visitor: Wire) -> None:
    """402, the bank's answer in plain words, not a digit of the card; the next card uses the same intent."""
    owner = customer(client)
    at = session(client, owner)

    declined = typed(visitor, at, card_number="4000 0000 0000 0002", card_cvc="987")
    between = default_of(client, owner).card.last4
    typed(visitor, at, card_number="5555 5555 5555 4444")

    page = declined.body.decode().partition("<script>")[0]
    assert declined.status == 402
    assert "Your credit card was declined." in page
    assert 'value="Ada Lovelace"' in page
    assert re.findall(r'<input id="card_\w+"[^>]* value="([^"]*)"', page) == ["", "", ""]
    assert (between, default_of(client, owner).card.last4) == ("4242", "4444")
    assert len(client.v1.setup_intents.list().data) == 1


def test_what_is_missing_is_asked_for(client: stripe.StripeClient, visitor: Wire) -> None:
    """Field by field, before any bank is."""
    at = session(client, customer(client, None))

    answer = typed(visitor, at, card_number="42", card_expiry="")

    assert answer.status == 422
    assert b"Your card number is incomplete." in answer.body
    assert client.v1.setup_intents.list().data == []


@pytest.mark.parametrize(("answer", "last4"), [("complete", "3184"), ("fail", "4242")])
def test_the_bank_may_ask(client: stripe.StripeClient, visitor: Wire, answer: str, last4: str) -> None:
    """The browser goes to the bank's page and comes back; only an agreement makes the card the default."""
    owner = customer(client)
    at = session(client, owner)

    sent = typed(visitor, at, card_number="4000 0027 6000 3184")
    (intent,) = client.v1.setup_intents.list().data
    back = answer_bank(intent, answer)
    landed = visitor.get(back.headers["location"].removeprefix(visitor.url))

    assert sent.status == 303
    assert "/3d_secure_2/hosted" in sent.headers["location"]
    assert default_of(client, owner).card.last4 == last4
    if answer == "complete":
        assert (landed.status, landed.headers["location"]) == (303, path(at, "?told=card"))
    else:
        assert landed.status == 200
        assert b'role="alert"' in landed.body


def test_another_saved_card_can_be_used(client: stripe.StripeClient, visitor: Wire) -> None:
    """`customer.updated`, and nothing else."""
    owner = customer(client)
    other = client.v1.payment_methods.attach("pm_card_mastercard", {"customer": owner.id})
    at = session(client, owner)

    post(visitor, at, "/cards", default=other.id)

    assert default_of(client, owner).id == other.id
    assert events(client, "billing_portal.session.created") == ["customer.updated"]


def test_a_card_that_is_not_used_can_go(client: stripe.StripeClient, visitor: Wire) -> None:
    """It is detached, for ever; the one that is used stays."""
    owner = customer(client)
    used = default_of(client, owner)
    other = client.v1.payment_methods.attach("pm_card_mastercard", {"customer": owner.id})
    at = session(client, owner)

    gone = post(visitor, at, "/cards", remove=other.id)
    kept = post(visitor, at, "/cards", remove=used.id)

    assert (gone.status, kept.status) == (303, 409)
    left = client.v1.payment_methods.list({"customer": owner.id}).data
    assert [method.id for method in left] == [used.id]
    assert events(client, "billing_portal.session.created") == ["payment_method.detached"]
    assert "•••• 4444" not in show(visitor, at)


@pytest.mark.parametrize("act", ["default", "remove"])
def test_nobody_touches_anothers_card(client: stripe.StripeClient, visitor: Wire, act: str) -> None:
    """404, whoever's it is."""
    theirs = default_of(client, (other := customer(client)))
    owner = customer(client, None)
    at = session(client, owner)

    answer = post(visitor, at, "/cards", **{act: theirs.id})

    assert answer.status == 404
    assert default_of(client, owner) is None
    assert default_of(client, other).id == theirs.id


def test_a_flow_to_a_new_card_ends_at_the_shop(client: stripe.StripeClient, visitor: Wire) -> None:
    """After the bank was asked, too."""
    owner = customer(client)
    done = {"type": "redirect", "redirect": {"return_url": "https://example.com/done"}}
    at = session(client, owner, flow_data={"type": "payment_method_update", "after_completion": done})

    typed(visitor, at, card_number="4000 0027 6000 3184")
    back = answer_bank(client.v1.setup_intents.list().data[0], "complete")
    landed = visitor.get(back.headers["location"].removeprefix(visitor.url))

    assert (landed.status, landed.headers["location"]) == (303, "https://example.com/done")
    assert default_of(client, owner).card.last4 == "3184"
