"""Refusals: one shape for every mistake, from whatever layer it comes."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conftest import LocalStripe
from tests.emulator.wire import Reply, Wire


def test_a_refusal_has_its_keys_in_order(wire: Wire) -> None:
    """Alphabetical, unknown ones left out, with links to what the code means and to what was asked."""
    reply = wire.get("/v1/customers/cus_nobody")

    assert list(reply.error) == ["code", "doc_url", "message", "param", "request_log_url", "type"]
    assert reply.error["doc_url"] == "https://stripe.com/docs/error-codes/resource-missing"
    assert reply.error["type"] == "invalid_request_error"
    assert reply.error["request_log_url"] == f"{wire.url}/_local/requests/{reply.headers['request-id']}"


def test_the_log_tells_what_was_asked_and_answered(wire: Wire) -> None:
    """Following `request_log_url` needs no key: only who got the refusal knows it."""
    refused = wire.post("/v1/customers", "email=nobody", Idempotency_Key="attempt-1")

    logged = Wire(wire.url, None).get(refused.error["request_log_url"].removeprefix(wire.url)).value

    assert (logged["method"], logged["path"], logged["status"]) == ("POST", "/v1/customers", 400)
    assert (logged["params"], logged["idempotency_key"]) == ("email=nobody", "attempt-1")
    assert logged["answer"] == refused.value


def test_the_log_keeps_no_card(wire: Wire) -> None:
    """Numbers and security codes are starred, even those of test cards."""
    reply = wire.post("/v1/tokens", "card[number]=4242424242424242&card[cvc]=987&card[exp_month]=1&card[exp_year]=2040")

    logged = wire.get(f"/_local/requests/{reply.headers['request-id']}").body

    assert b"4242424242424242" not in logged
    assert b"987" not in logged.replace(reply.headers["request-id"].encode(), b"")


@pytest.mark.parametrize(
    ("identifier", "hint"),
    [("cus_nobody", ""), ("%20cus_nobody", " extra whitespace"), ("%22cus_nobody%22", " whitespace or quotes")],
)
def test_an_id_that_is_none_is_a_404_in_the_path(wire: Wire, identifier: str, hint: str) -> None:
    """With a hint where blanks or quotes slipped in."""
    reply = wire.get(f"/v1/customers/{identifier}")

    assert (reply.status, reply.error["code"], reply.error["param"]) == (404, "resource_missing", "id")
    assert reply.error["message"].startswith("No such customer: '")
    assert hint in reply.error["message"]


def test_an_id_that_is_none_is_a_400_in_a_parameter(wire: Wire) -> None:
    """The URL was right; the parameter is named."""
    reply = wire.post("/v1/prices", "currency=usd&unit_amount=1&product=prod_nothing")

    assert (reply.status, reply.error["code"], reply.error["param"]) == (400, "resource_missing", "product")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/customers/"),
        ("GET", "/v1/nothing"),
        ("GET", "/v1/"),
        ("GET", "/v1"),
        ("GET", "/v1/customers/cus_1/nothing"),
        ("DELETE", "/v1/customers"),
        ("PUT", "/v1/customers/cus_1"),
        ("PATCH", "/v1/customers/cus_1"),
        ("GET", "/v2/core/nothing"),
        ("GET", "/nothing"),
    ],
)
def test_a_url_that_stripe_does_not_have_is_a_404(wire: Wire, method: str, path: str) -> None:
    """In the envelope: without it, an SDK would take the 404 for an answer."""
    reply = wire.send(method, path)

    assert reply.status == 404
    assert reply.error["message"].startswith(f"Unrecognized request URL ({method}: {path}).")
    assert reply.error["type"] == "invalid_request_error"


def test_a_url_that_is_not_modelled_says_so(client: stripe.StripeClient, wire: Wire) -> None:
    """501 and not to be retried, naming the file it would go into."""
    reply = wire.get("/v1/topups")

    assert (reply.status, reply.headers["stripe-should-retry"]) == (501, "false")
    assert reply.error["message"].endswith("it would go into emulator/resources/topup.py.")
    with pytest.raises(stripe.APIError) as refused:
        client.v1.topups.list()
    assert refused.value.http_status == 501


def test_a_body_that_is_too_large_is_refused(wire: Wire) -> None:
    """413, in the envelope."""
    reply = wire.post("/v1/customers", "description=" + "x" * (5 * 1024 * 1024))

    assert reply.status == 413
    assert reply.error["type"] == "invalid_request_error"
    assert wire.get("/v1/customers").value["data"] == []


def test_a_url_that_is_too_long_is_refused(wire: Wire) -> None:
    """414 from 16 KiB on, as at Stripe; there the edge says it in HTML."""
    assert wire.get(f"/v1/customers?email={'x' * 16_000}").status == 200
    assert wire.get(f"/v1/customers?email={'x' * 17_000}").status == 414


TEXTS = st.text(alphabet=st.sampled_from(list("abemtadilnc[]=&%+0129.é\x00\n\"'{}")), max_size=60)


def stays_stripes(reply: Reply) -> None:
    """An answer, or a refusal of the caller's mistake; always JSON, never the server's own failure."""
    assert reply.headers["content-type"] == "application/json"
    if reply.status != 200:
        assert 400 <= reply.status < 500
        assert reply.error["message"]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200) | TEXTS.map(str.encode))
@example(b"metadata[a]=1&metadata=2")
@example(b"address=x&address[city]=y")
@example(b"expand[]=a&expand[0]=b&expand=c")
@example(b"email[]=x")
@example(b"[]=x&=&&&==")
@example(b"a" + b"[b]" * 5000 + b"=1")
@example(b"email=\xff\xfe%ff%00\xed\xa0\x80")
@example(b"balance=" + b"9" * 5000)
def test_no_body_breaks_a_create(local_stripe: LocalStripe, body: bytes) -> None:
    """Whatever arrives, the answer is Stripe's."""
    wire = Wire(local_stripe.url, "sk_test_garbage")

    stays_stripes(wire.post("/v1/customers", body))
    stays_stripes(wire.post("/v1/prices", body))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.binary(max_size=40), query=st.binary(max_size=60))
@example(b"customers/\xff", b"limit=\xff")
@example(b"customers/%00", b"created[gt]=x")
@example(b"customers/..%2f..", b"expand[]=")
@example(b"customers", b"limit=99999999999999999999&created[gt]=99999999999999999999")
@example(b"customers", b"starting_after=%ed%a0%80")
def test_no_url_breaks_a_read(local_stripe: LocalStripe, path: bytes, query: bytes) -> None:
    """Paths and queries of any bytes: an answer, or a refusal in the envelope."""
    quoted = "".join(f"%{byte:02x}" if byte < 0x21 or byte > 0x7E or byte in b"#?" else chr(byte) for byte in path)
    asked = "".join(f"%{byte:02x}" if byte < 0x21 or byte > 0x7E or byte in b"#" else chr(byte) for byte in query)

    reply = Wire(local_stripe.url, "sk_test_garbage").get(f"/v1/{quoted}?{asked}")

    assert reply.headers["content-type"] == "application/json"
    assert reply.status < 500 or reply.status == 501
    if reply.status != 200:
        assert reply.error["message"]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x"])
def test_a_body_that_is_no_form_is_refused(wire: Wire, content_type: str) -> None:
    """A JSON body is the commonest mistake: it is never half understood."""
    reply = wire.post("/v1/customers", '{"email": "ada@example.com"}', Content_Type=content_type)

    assert reply.status == 400
    assert "check that your POST content type is application/x-www-form-urlencoded" in reply.error["message"]
    assert wire.get("/v1/customers").value["data"] == []


def test_sdks_raise_what_they_raise_for_stripe(client: stripe.StripeClient, local_stripe: LocalStripe) -> None:
    """The status decides which exception it is."""
    cases: list[tuple[type[stripe.StripeError], Any]] = [
        (stripe.InvalidRequestError, lambda: client.v1.customers.retrieve("cus_nobody")),
        (stripe.CardError, lambda: client.v1.customers.create({"payment_method": "pm_card_chargeDeclined"})),
        (stripe.AuthenticationError, lambda: local_stripe.client("pk_test_shop").v1.customers.list()),
        (stripe.PermissionError, lambda: local_stripe.client("rk_test_x__customer_read").v1.products.list()),
        (stripe.APIError, lambda: client.v1.topups.list()),
    ]

    for kind, call in cases:
        with pytest.raises(kind):
            call()
