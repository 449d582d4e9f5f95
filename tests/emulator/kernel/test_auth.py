"""Keys: who may ask, and what a key opens."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.conftest import LocalStripe
from tests.emulator.wire import Wire

# Put together here, so that no scanner takes it for one that leaked.
LOOKS_LIVE = "sk_" + "live_51HxyzREALLOOKINGxyzKEYxyz0042"


@pytest.fixture
def nobody(local_stripe: LocalStripe) -> Wire:
    """Somebody without a key."""
    return Wire(local_stripe.url, None)


def basic(user: str) -> str:
    return "Basic " + base64.b64encode(user.encode()).decode()


def test_a_key_may_come_as_bearer_or_as_user_name(nobody: Wire, key: str) -> None:
    """Both ways open the same sandbox."""
    created = nobody.post("/v1/customers", Authorization=f"Bearer {key}").value

    assert nobody.get(f"/v1/customers/{created['id']}", Authorization=basic(f"{key}:")).status == 200
    assert nobody.get(f"/v1/customers/{created['id']}", Authorization=f"bearer  {key} ").status == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic !!", "Basic /w==", "Digest x", basic(":pass")])
def test_without_a_key_nothing_is_answered(nobody: Wire, header: str) -> None:
    """401, with the sentence that tells how to send one."""
    reply = nobody.get("/v1/customers", Authorization=header)

    assert reply.status == 401
    assert reply.error["message"].startswith("You did not provide an API key.")
    assert (reply.error["type"], reply.error.get("code")) == ("invalid_request_error", None)


@pytest.mark.parametrize("wrong", ["nonsense", "sk_prod_abcdefgh", "sk_test_", "sk_test_a b", "sk_test_ünïcode"])
def test_a_wrong_key_is_named_by_its_end_only(nobody: Wire, wrong: str) -> None:
    """Enough to recognise it by, and not enough to use it."""
    reply = nobody.get("/v1/customers", Authorization=basic(f"{wrong}:"))

    assert reply.status == 401
    assert reply.error["message"].startswith("Invalid API Key provided: ")
    assert wrong not in reply.error["message"]


def test_an_expired_key_says_so(nobody: Wire) -> None:
    """With its own code: roll it, do not look for a typing mistake."""
    reply = nobody.get("/v1/customers", Authorization="Bearer sk_test_expired0042")

    assert reply.status == 401
    assert reply.error["code"] == "api_key_expired"
    assert reply.error["message"] == "Expired API Key provided: sk_test_*******0042"


def test_a_publishable_key_opens_no_secrets(nobody: Wire) -> None:
    """It is in every browser."""
    reply = nobody.get("/v1/customers", Authorization="Bearer pk_test_shop")

    assert reply.status == 401
    assert reply.error["message"].startswith("This API call cannot be made with a publishable API key.")


def test_a_restricted_key_does_what_it_was_given(nobody: Wire) -> None:
    """Here its permissions are part of its name; writing includes reading."""
    reader, writer = "Bearer rk_test_shop__customer_read", "Bearer rk_test_shop__customer_write"

    refused = nobody.post("/v1/customers", Authorization=reader)
    elsewhere = nobody.get("/v1/products", Authorization=writer)

    assert nobody.get("/v1/customers", Authorization=reader).status == 200
    assert nobody.get("/v1/customers", Authorization=writer).status == 200
    assert nobody.post("/v1/customers", Authorization=writer).status == 200
    assert (refused.status, elsewhere.status) == (403, 403)
    assert "Having the 'rak_customer_write' permission would allow this request" in refused.error["message"]
    assert "Having the 'rak_product_read' permission would allow this request" in elsewhere.error["message"]
    assert "customer_read'" not in refused.error["message"]


def test_a_key_that_looks_live_is_refused_and_forgotten(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It never appears again: not in the answer, not in what the server prints, not in what it keeps."""
    server = LocalStripe("--data", str(tmp_path))
    reply = Wire(server.url, LOOKS_LIVE).post("/v1/customers", "email=ada@example.com")
    server.stop()

    assert reply.status == 401
    assert "looks like a real live key" in reply.error["message"]
    assert LOOKS_LIVE.encode() not in reply.body + b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert LOOKS_LIVE not in "".join(capfd.readouterr())


def test_live_mode_can_be_rehearsed_apart(nobody: Wire, key: str) -> None:
    """Nothing of one mode is in the other, and Stripe's hint tells which of them was meant."""
    test, live = f"Bearer {key}", f"Bearer {key.replace('sk_test_', 'sk_live_local_')}"
    in_test = nobody.post("/v1/customers", Authorization=test).value
    in_live = nobody.post("/v1/customers", Authorization=live).value

    from_live = nobody.get(f"/v1/customers/{in_test['id']}", Authorization=live)
    from_test = nobody.post("/v1/prices", f"currency=usd&unit_amount=1&product={in_live['id']}", Authorization=test)
    hinted = nobody.get(f"/v1/customers/{in_live['id']}", Authorization=test)

    assert (in_test["livemode"], in_live["livemode"]) == (False, True)
    assert from_live.status == hinted.status == 404
    assert from_live.error["message"] == (
        f"No such customer: '{in_test['id']}'; a similar object exists in test mode, but a live mode key was used to "
        "make this request."
    )
    assert "exists in live mode, but a test mode key was used" in hinted.error["message"]
    assert from_test.status == 400


def test_every_name_is_a_sandbox_of_its_own(nobody: Wire, key: str) -> None:
    """Suites run side by side on one server: what one key made, no other key sees, finds, lists or is told of."""
    mine = nobody.post("/v1/customers", "email=ada@example.com", Authorization=f"Bearer {key}").value
    other = f"Bearer {key}x"

    unseen = nobody.get(f"/v1/customers/{mine['id']}", Authorization=other)

    assert (unseen.status, unseen.error["message"]) == (404, f"No such customer: '{mine['id']}'")
    assert nobody.get("/v1/customers", Authorization=other).value["data"] == []
    assert nobody.get("/v1/events", Authorization=other).value["data"] == []
    assert nobody.get("/v1/customers/search?query=email~%22ada%22", Authorization=other).value["data"] == []


def test_the_keys_of_a_name_share_its_sandbox(nobody: Wire, key: str) -> None:
    """Secret and restricted keys of one name are keys to one door."""
    mine = nobody.post("/v1/customers", Authorization=f"Bearer {key}").value

    seen = nobody.get(f"/v1/customers/{mine['id']}", Authorization=f"Bearer {key.replace('sk_', 'rk_')}__customer_read")

    assert seen.status == 200
