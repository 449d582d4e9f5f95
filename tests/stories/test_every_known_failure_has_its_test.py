"""What broke other libraries has a number, and each number has a test that carries it in its name."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

# A test may answer several at once: test_c5_p1_b4_…
KNOWN_FAILURES = {
    "c1": "created, deleted, then a late update: subscribed again, for ever",
    "c2": "deleted before created: a subscription that is never corrected",
    "c3": "a crash between a subscription and its items: the items never exist",
    "c4": "no secret configured: unsigned webhooks were believed",
    "c5": "one event three times: the listener that fulfils orders ran three times",
    "c6": "an event before its user was linked to a customer: answered with 200, and forgotten",
    "c7": "active and incomplete in a race: incomplete in the end, though paid",
    "c8": "an update without items: an exception, and the old status stays",
    "p1": "two deliveries of one payment: two jobs, two receipts",
    "p2": "two workers that read and write side by side: the older answer stays",
    "p3": "a crash between keeping the event and queueing its work: an orphan that nobody looked for",
    "p4": "a 429 or a timeout in the worker: the job parked for good, behind a 200",
    "p5": "an event before its customer was known: its row destroyed",
    "p6": "an error while an invoice was looked up: logged, and its row destroyed",
    "p7": "a payment without a customer: the owner's customer replaced by nothing",
    "d1": "a slow old answer written over a newer one",
    "d2": "one receiver that raised: the mirror undone, another receiver's mail sent again",
    "d3": "an item removed from a subscription: two in the mirror, one at Stripe",
    "d4": "junk with a signature header: a row with the whole body for each request",
    "d5": "an outage of Stripe's while it delivered: nothing kept",
    "d6": "SQLite and two workers: a fifth of all deliveries met a locked database",
    "d7": "many first sights of one object graph at once: a deadlock",
    "d8": "a handler or an answer slower than Stripe's patience: the second telling runs beside the first",
    "b1": "a 429 while the payment was looked up: answered with 200, and never paid",
    "b2": "a second subscription, updated before created: the first one's row overwritten",
    "b3": "an update after the end: active again",
    "b4": "one event three times: the app's callback ran three times",
    "b5": "deleted before created: an active row",
    "b6": "an event before the customer's id was committed: no row, no second try",
    "b7": "a double click: two customers",
    "s1": "incomplete, then active, in one second: equal stamps were refused",
    "s2": "finalized, then paid, in one second: open in the end",
    "s3": "an item swapped, then the older event: the live one marked deleted, the old one live",
    "s4": "a product deleted, then a late update: alive again",
    "s5": "an event of an unknown type: refused for days, until the endpoint was switched off",
    "s6": "read, then cancelled in the same second: the end was dropped as too old",
    "s7": "a slow old answer stamped when it arrived: it overtook the newer one",
    "s8": "a page listed, a webhook applied, the page written: the older one wins",
    "s9": "an endpoint without a version: empty columns, since fields have moved",
    "x1": "ties of one second broken by the event's id, which has no order",
    "x2": "what to do found by its time: a row committed late, with an earlier stamp, was never done",
    "x3": "a slow Stripe: one open transaction and one connection for each call",
    "y1": "answered, then committed: what crashed in between was lost",
    "y2": "kept, then not queued: Stripe's second telling found the row and did nothing",
    "y3": "everything about one payment at once: a year of races, fixed one by one",
    "y4": "the webhook before the order's transaction was committed: the worker did not see the order",
    "y5": "the price archived while the bank asked: the money taken, the order refused",
    "t1": "answered first, worked later, in memory: a crash lost it; and two customers for one user",
}


def names() -> list[str]:
    """Every test of the project."""
    files = (ROOT / "tests").rglob("test_*.py")
    return [name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.M)]


@pytest.mark.parametrize("number", KNOWN_FAILURES)
def test_a_known_failure_has_its_test(number: str) -> None:
    """Whoever asks how we fare with one of them finds the test by its number."""
    # The numbers come first in a name: test_c5_p1_b4_everything_told_three_times…
    carry = re.compile(rf"test_(?:[a-z]\d_)*{number}_")

    assert [name for name in names() if carry.match(name)], KNOWN_FAILURES[number]
