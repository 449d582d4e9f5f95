"""Deciding: when an event may be believed without asking Stripe."""

from __future__ import annotations

import pytest

from paydesk.billing.mirror.decide import Answer, Known, Told, decide

NEVER_SEEN = None
DELETED = Known(seen_at=1000, payload_at=1000, is_deleted=True)
FROM_PAYLOAD = Known(seen_at=1000, payload_at=1000, is_deleted=False)
FROM_READ = Known(seen_at=1000, payload_at=None, is_deleted=False)


@pytest.mark.parametrize(
    ("known", "told", "answer"),
    [
        (FROM_READ, Told(1, livemode=False, is_whole=True, is_deletion=True), "apply"),
        (DELETED, Told(2000, livemode=True, is_whole=True), "ignore"),
        (DELETED, Told(2000, livemode=False, is_whole=True), "ignore"),
        # Test clocks: the stamps of test mode say nothing.
        (FROM_PAYLOAD, Told(2000, livemode=False, is_whole=True), "read"),
        (FROM_PAYLOAD, Told(500, livemode=False, is_whole=True), "read"),
        (FROM_PAYLOAD, Told(994, livemode=True, is_whole=True), "ignore"),
        (FROM_READ, Told(994, livemode=True, is_whole=True), "ignore"),
        (FROM_READ, Told(994, livemode=True, is_whole=True, is_telling=True), "read"),
        (NEVER_SEEN, Told(994, livemode=True, is_whole=True, is_telling=True), "read"),
        (DELETED, Told(2000, livemode=True, is_whole=True, is_telling=True), "ignore"),
        # Within five seconds nobody knows which was first; a second apart is the usual case.
        (FROM_PAYLOAD, Told(995, livemode=True, is_whole=True), "read"),
        (FROM_PAYLOAD, Told(1005, livemode=True, is_whole=True), "read"),
        (FROM_PAYLOAD, Told(1006, livemode=True, is_whole=True), "apply"),
        # How old the state is that was read, Stripe does not say.
        (FROM_READ, Told(2000, livemode=True, is_whole=True), "read"),
        (FROM_PAYLOAD, Told(2000, livemode=True, is_whole=False), "read"),
        (NEVER_SEEN, Told(1000, livemode=True, is_whole=True), "apply"),
        (NEVER_SEEN, Told(1000, livemode=False, is_whole=True), "read"),
    ],
)
def test_an_event_is_believed_only_where_reading_would_say_the_same(
    known: Known | None, told: Told, answer: Answer
) -> None:
    """Each row of the table of reasons, and both sides of its border."""
    assert decide(known, told) == answer
