"""What broke other libraries has a number, and each number has a test that carries it in its name."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

# As far as they concern payments. A test may answer several at once: test_c5_p1_b4_…
KNOWN_FAILURES = {
    "c4": "no secret configured: unsigned webhooks were believed",
    "c5": "one event three times: the listener that fulfils orders ran three times",
    "c6": "an event before its user was linked to a customer: answered with 200, and forgotten",
    "p1": "two deliveries of one payment: two jobs, two receipts",
    "p3": "a crash between keeping the event and queueing its work: an orphan that nobody looked for",
    "p5": "an event before its customer was known: its row destroyed",
    "p7": "a payment without a customer: the owner's customer replaced by nothing",
    "d1": "a slow old answer written over a newer one",
    "d2": "one receiver that raised: the mirror undone, another receiver's mail sent again",
    "d4": "junk with a signature header: a row with the whole body for each request",
    "d6": "SQLite and two workers: a fifth of all deliveries met a locked database",
    "b1": "a 429 while the payment was looked up: answered with 200, and never paid",
    "b4": "one event three times: the app's callback ran three times",
    "b6": "an event before the customer's id was committed: no row, no second try",
    "b7": "a double click: two customers",
    "s5": "an event of an unknown type: refused for days, until the endpoint was switched off",
    "y1": "answered, then committed: what crashed in between was lost",
    "y2": "kept, then not queued: Stripe's second telling found the row and did nothing",
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
