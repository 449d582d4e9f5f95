"""Tracing: spans for OpenTelemetry, if the app has it.

Nothing here imports it: an app that wants spans has set up a tracer provider, and so has imported it. For all others a
look into a dictionary is what it costs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from paydesk.billing.log import redact

if TYPE_CHECKING:
    from paydesk.billing.watch import Act, End, Kind

# What each span is called, and under which names it carries what the act is about.
NAMES: dict[Kind, str] = {
    "receive": "paydesk.receive",
    "apply": "paydesk.apply",
    "call": "paydesk.stripe",
    "effect": "paydesk.effect",
}
ATTRIBUTES = {
    "event": "paydesk.event.id",
    "event_type": "paydesk.event.type",
    "lane": "paydesk.lane",
    "lanes": "paydesk.lanes",
    "events": "paydesk.events",
    "handler": "paydesk.handler",
    "source": "paydesk.source",
    "method": "http.request.method",
    "path": "url.path",
    "status": "http.response.status_code",
    "request_id": "stripe.request_id",
}


def spans(act: Act) -> End | None:
    """A span for as long as the act lasts, and the current one for what happens in it."""
    api: Any = sys.modules.get("opentelemetry.trace")
    if api is None:
        return None
    provider = api.get_tracer_provider()
    if isinstance(provider, api.ProxyTracerProvider):
        return None  # nobody has set up where spans go
    kind = api.SpanKind.CLIENT if act.kind == "call" else api.SpanKind.INTERNAL
    opened = provider.get_tracer("paydesk").start_as_current_span(
        NAMES[act.kind], kind=kind, record_exception=False, set_status_on_exception=False
    )
    span = opened.__enter__()

    def end() -> None:
        for name, value in act.about.items():
            if name in ATTRIBUTES:
                span.set_attribute(ATTRIBUTES[name], value)
        span.set_attribute("paydesk.outcome", act.outcome)
        if act.error is not None:
            # Not the exception itself: its text and frames may hold what is no tracer's business.
            span.set_attribute("error.type", type(act.error).__qualname__)
            span.set_status(api.Status(api.StatusCode.ERROR, redact(str(act.error))))
        opened.__exit__(None, None, None)

    return end
