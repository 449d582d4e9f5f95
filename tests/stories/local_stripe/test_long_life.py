"""One long life through Stripe's official Python client, on both kinds of clock."""

from __future__ import annotations

import re
import time

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.receiver import Receiver
from tests.emulator.wire import Wire
from tests.stories.local_stripe.clocks import OfTheSandbox, OfTheTest
from tests.stories.local_stripe.doors import Checkout
from tests.stories.local_stripe.living import Stage, live
from tests.stories.local_stripe.long_life import LIFE, goes_as_from_checkout
from tests.stories.local_stripe.person import ByForms

DAY = 24 * 3600
KEY = "sk_test_a_life"
both_clocks = pytest.mark.parametrize("clock", [OfTheTest, OfTheSandbox])


@both_clocks
def test_a_subscription_lives_as_at_stripe(
    clock: type[OfTheTest | OfTheSandbox],
    client: stripe.StripeClient,
    controls: Controls,
    receiver: Receiver,
    local_stripe: LocalStripe,
) -> None:
    """From its trial to its end, with an upgrade, a card that fails and a customer who mends it in the portal: every
    status, cent and event, and every event signed and delivered.
    """
    stage = Stage(client, controls, receiver, clock, ByForms(local_stripe.url))

    for told, must in zip(live(stage), LIFE, strict=True):
        assert told == must


def test_a_life_that_begins_in_checkout(
    client: stripe.StripeClient, controls: Controls, receiver: Receiver, local_stripe: LocalStripe
) -> None:
    """Goes on like any other: the same statuses and bills, and the same news where whose card it is does not matter."""
    stage = Stage(client, controls, receiver, OfTheSandbox, ByForms(local_stripe.url), Checkout())

    goes_as_from_checkout(live(stage))


def test_a_seed_decides_a_life() -> None:
    """The same calls on two empty servers with one `--seed`: the same events in the same order, byte for byte. Only the
    time on the wall differs, and the names of the calls.

    On a test clock: a sandbox's own clock goes on by itself, and with it what falls into which second.
    """
    first, again = _lived(), _lived()

    assert len(first) == len(LIFE)
    assert b"".join(first).count(b'"object":"event"') > 60
    assert first == again


def _lived() -> list[bytes]:
    """A life on a server of its own: the list of new events after each chapter, as it goes over the wire."""
    began = int(time.time())
    server = LocalStripe("--memory", "--seed", "a life")
    wire, controls, receiver = Wire(server.url, KEY), Controls(server.url, KEY), Receiver()
    pages, after = [], ""
    for _ in live(Stage(server.client(KEY), controls, receiver, OfTheTest, ByForms(server.url))):
        page = wire.get(f"/v1/events?limit=100{after}")
        if page.value["data"]:
            after = f"&ending_before={page.value['data'][0]['id']}"
        pages.append(page.body.replace(server.url.encode(), b""))
    receiver.close()
    controls.close()
    server.stop()
    # Only today is the wall's, and the day thirty days ahead when the clock will be deleted.
    wall = range(began, int(time.time()) + 31 * DAY)
    return [_timeless(page, wall) for page in pages]


def _timeless(page: bytes, wall: range) -> bytes:
    """Events without the moments that are the wall's, and without their calls' names, which nobody may guess.

    A moment goes with its field: a change between two prices mentions `created` unless both were made in one second.
    """
    nameless = re.sub(rb'"request":\{[^}]*\}', b'"request":{}', page)
    return re.sub(rb'"\w+":(\d{10}),?', lambda found: b"" if int(found[1]) in wall else found[0], nameless)
