"""Signatures: what Stripe signed is taken, everything else is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from paydesk.billing.inbox.signature import Signatures
from paydesk.errors import SignatureRefused
from tests.billing.inbox.deliveries import SECRET, sign

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BODY = '{"id": "evt_1", "name": "Zoë"}'.encode()
signatures = Signatures([SecretStr(SECRET)])


def test_what_the_official_client_signs_is_taken() -> None:
    """Our check and Stripe's own agree on what a signature is."""
    header = stripe.WebhookSignature.generate_signature_header(
        payload=BODY.decode(), secret=SECRET, timestamp=int(NOW.timestamp())
    )

    signatures.check(BODY, header, NOW)


def test_a_signature_is_taken_for_five_minutes() -> None:
    """A delivery may be slow; a recording of one, played back later, is refused."""
    header = sign(BODY, NOW)

    signatures.check(BODY, header, NOW + timedelta(seconds=300))
    with pytest.raises(SignatureRefused, match="301 s ago"):
        signatures.check(BODY, header, NOW + timedelta(seconds=301))


def test_a_machine_whose_clock_is_behind_still_takes_webhooks() -> None:
    """Stripe's own clients look only at the past, and so do we."""
    signatures.check(BODY, sign(BODY, NOW + timedelta(hours=1)), NOW)


def test_while_a_secret_is_rotated_both_are_taken() -> None:
    """Stripe signs with the old and the new secret for a day; an app may know either or both."""
    both = Signatures([SecretStr("whsec_new"), SecretStr(SECRET)])

    both.check(BODY, sign(BODY, NOW, SECRET), NOW)
    both.check(BODY, sign(BODY, NOW, "whsec_new"), NOW)
    signatures.check(BODY, sign(BODY, NOW, "whsec_new", SECRET), NOW)
    Signatures([SecretStr("whsec_new")]).check(BODY, sign(BODY, NOW, "whsec_new", SECRET), NOW)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "no Stripe-Signature"),
        ("", "no Stripe-Signature"),
        ("junk", "cannot be read"),
        ("t=,v1=aa", "cannot be read"),
        ("t=-5,v1=aa", "cannot be read"),
        ("t=١٢٣,v1=aa", "cannot be read"),
        (f"t={int(NOW.timestamp())}", "no v1 signature"),
        (f"t={int(NOW.timestamp())},v0={'a' * 64}", "no v1 signature"),
        (f"t={int(NOW.timestamp())},v1={'a' * 64}", "no signature matches"),
        (f"t={int(NOW.timestamp())},v1=é", "no signature matches"),
        (f"t={int(NOW.timestamp())},v1=" + "a" * 5000, "cannot be read"),
        (sign(BODY, NOW, "whsec_ofanotherendpoint"), "no signature matches"),
        (sign(BODY + b" ", NOW), "no signature matches"),
    ],
)
def test_anything_else_is_refused_with_its_reason(header: str | None, reason: str) -> None:
    """Somebody who set the wrong secret reads what is wrong; somebody who forges learns nothing."""
    with pytest.raises(SignatureRefused, match=reason) as caught:
        signatures.check(BODY, header, NOW)

    assert SECRET not in str(caught.value)


@given(position=st.integers(0, len(BODY) - 1), flip=st.integers(1, 255))
def test_a_single_altered_byte_is_noticed(position: int, flip: int) -> None:
    """Whatever is changed on the way, wherever, the webhook is refused."""
    altered = bytearray(BODY)
    altered[position] ^= flip

    with pytest.raises(SignatureRefused):
        signatures.check(bytes(altered), sign(BODY, NOW), NOW)


@given(st.text(max_size=200))
def test_no_header_makes_the_check_stumble(header: str) -> None:
    """A header somebody made up is refused, never an internal error."""
    with pytest.raises(SignatureRefused):
        signatures.check(BODY, header, NOW)


def test_c4_without_a_secret_nothing_is_ever_taken() -> None:
    """Other libraries skip the check where no secret is set, and then believe anybody."""
    with pytest.raises(ValueError, match="without a webhook secret"):
        Signatures([])
    with pytest.raises(ValueError, match="without a webhook secret"):
        Signatures([SecretStr("")])


def test_the_secrets_are_not_shown() -> None:
    """Neither a log line nor a debugger's repr gives a secret away."""
    assert SECRET not in repr(signatures)
