"""docs/local-stripe.md: its commands do what they say."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import stripe

from tests.conftest import LocalStripe
from tests.docs.blocks import blocks
from tests.docs.curl import sent_as_curl_sends
from tests.emulator.wire import Wire

PAGE = "docs/local-stripe.md"
ADDRESS = "http://127.0.0.1:12111"


def test_the_sdk_talks_to_it_as_the_page_says(local_stripe: LocalStripe) -> None:
    """The Python examples work as pasted, one after the other, but for the port."""
    code = "\n".join(blocks(PAGE, "python"))
    pasted: dict[str, Any] = {}

    exec(code.replace(ADDRESS, local_stripe.url), pasted)  # noqa: S102 - our own page

    client: stripe.StripeClient = pasted["client"]
    assert client.v1.customers.create({"name": "Ada"}).name == "Ada"
    assert client.v1.subscriptions.retrieve(pasted["subscription"].id).status == "canceled"
    page = Wire(local_stripe.url, None).get(urlsplit(pasted["invoice"].hosted_invoice_url).path)
    assert "Work in June" in page.body.decode()
    ended: stripe.Subscription = pasted["ended"]
    paid = client.v1.invoices.list({"subscription": ended.id}).data[::-1]
    assert [bill.total for bill in paid[:3]] == [3000, 1500, 6000]


def test_the_curl_commands_do_what_the_page_says(local_stripe: LocalStripe, key: str) -> None:
    """What a reader pastes is understood: each command is sent as curl would send it."""
    commands = [line for block in blocks(PAGE, "sh") for line in block.splitlines() if line.startswith("curl ")]
    wire = Wire(local_stripe.url, key)

    answers = [sent_as_curl_sends(wire, command) for command in commands]

    assert [answer.status for answer in answers] == [200] * 4
    assert json.loads(wire.get("/_local/settings/billing").body)["retry_days"] == [1, 3]
    assert wire.get("/v1/checkout/sessions").status == 429
