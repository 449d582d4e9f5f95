"""Spans: one request followed through the library, for whoever traces theirs with OpenTelemetry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from paydesk import OrderExpired
from paydesk.errors import SignatureRefused
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import stripe

    from tests.billing.till import Till
    from tests.billing.wire import Wire


@pytest.fixture(scope="session")
def exporter() -> InMemorySpanExporter:
    """As an app sets tracing up, once for its process."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    exporter.clear()
    yield exporter
    exporter.clear()


def told(spans: InMemorySpanExporter, name: str) -> list[dict[str, Any]]:
    """The attributes of the spans of this name, in the order they ended."""
    return [dict(span.attributes or {}) for span in spans.get_finished_spans() if span.name == name]


def test_a_webhook_is_a_span(till: Till, client: stripe.StripeClient, spans: InMemorySpanExporter) -> None:
    """With the event it is about, and what became of it."""
    customer = client.v1.customers.create({"name": "Ada"})
    event = client.v1.events.list({"type": "customer.created"}).data[0]
    spans.clear()

    till.deliver(client, "customer.created")
    till.deliver(client, "customer.created")

    received = told(spans, "paydesk.receive")
    about = {"paydesk.event.id": event.id, "paydesk.event.type": "customer.created"}
    assert received == [about | {"paydesk.outcome": "new"}, about | {"paydesk.outcome": "duplicate"}]
    assert customer.id not in str(received)


def test_a_refused_webhook_is_an_error_without_its_contents(till: Till, spans: InMemorySpanExporter) -> None:
    """What a stranger sent is not carried on to where traces are kept."""
    with pytest.raises(SignatureRefused):
        till.desk.receive(b'{"card": "4242"}', "t=1,v1=00")

    (span,) = spans.get_finished_spans()
    assert (span.name, span.status.status_code) == ("paydesk.receive", StatusCode.ERROR)
    assert dict(span.attributes or {}) == {"paydesk.outcome": "refused", "error.type": "SignatureRefused"}
    assert list(span.events) == []
    assert "4242" not in span.to_json()


def test_each_try_to_reach_stripe_is_a_span(
    till: Till, client: stripe.StripeClient, wire: Wire, spans: InMemorySpanExporter
) -> None:
    """With Stripe's own id for the request, which its support asks for; and never with the key."""
    spans.clear()
    wire.answer("GET /v1/customers", 503)

    till.desk.stripe.v1.customers.list()

    first, second = [span for span in spans.get_finished_spans() if span.name == "paydesk.stripe"]
    assert (first.kind, second.kind) == (SpanKind.CLIENT, SpanKind.CLIENT)
    assert dict(first.attributes or {}) == {
        "http.request.method": "GET",
        "url.path": "/v1/customers",
        "http.response.status_code": 503,
        "paydesk.outcome": "broken",
    }
    assert str((second.attributes or {})["stripe.request_id"]).startswith("req_")
    assert till.settings.stripe_secret_key.get_secret_value() not in first.to_json() + second.to_json()


def test_what_happens_within_an_app_s_span_belongs_to_it(till: Till, spans: InMemorySpanExporter) -> None:
    """A checkout in a request is one picture: the request, and each call to Stripe in it."""
    with trace.get_tracer("shop").start_as_current_span("POST /buy") as outer:
        till.desk.checkout("ebook")

    calls = [span for span in spans.get_finished_spans() if span.name == "paydesk.stripe"]
    assert calls
    assert {span.parent.span_id for span in calls if span.parent is not None} == {outer.get_span_context().span_id}


def test_what_stripe_is_asked_for_an_event_is_a_part_of_applying_it(
    till: Till, client: stripe.StripeClient, spans: InMemorySpanExporter
) -> None:
    """One picture: the round of work, and each call to Stripe in it, also from the threads that ask at once."""
    for name in ("Ada", "Grace", "Mary"):
        client.v1.customers.create({"name": name})
    till.desk.start()

    till.deliver(client, "customer.created")

    until(lambda: not any(till.desk.operations.backlog.waiting().events.values()), "all to be applied")
    till.desk.stop()
    ended = spans.get_finished_spans()
    rounds = {span.context.span_id: span for span in ended if span.name == "paydesk.apply" and span.context is not None}
    asked = [span for span in ended if str((span.attributes or {}).get("url.path")).startswith("/v1/customers/")]
    assert asked
    assert [span for span in asked if span.parent is None or span.parent.span_id not in rounds] == []
    assert sum(int(str((span.attributes or {}).get("paydesk.events", 0))) for span in rounds.values()) >= 3


def test_a_handler_is_a_span_around_what_it_does(
    till: Till, client: stripe.StripeClient, spans: InMemorySpanExporter
) -> None:
    """A span that the app opens in it is a part of it; one that fails says so, and not with what it was told."""
    order = till.desk.checkout("ebook").order
    assert order.session_id is not None
    client.v1.checkout.sessions.expire(order.session_id)

    @till.desk.on(OrderExpired)
    def look(_: OrderExpired) -> None:
        with trace.get_tracer("shop").start_as_current_span("inside"):
            raise RuntimeError("no mail server")

    till.deliver(client, "checkout.session.expired")
    till.desk.work()

    inside, effect = [span for span in spans.get_finished_spans() if span.name in ("inside", "paydesk.effect")]
    assert inside.parent is not None
    assert effect.context is not None
    assert inside.parent.span_id == effect.context.span_id
    assert dict(effect.attributes or {}) == {
        "paydesk.handler": f"{__name__}.{look.__qualname__}",
        "paydesk.source": f"fact:order.expired:{order.id}",
        "paydesk.outcome": "failed",
        "error.type": "RuntimeError",
    }
