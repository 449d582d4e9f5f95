"""Our routes, wherever the project puts them: `path("", include("paydesk.django.urls"))`."""

from __future__ import annotations

from django.urls import path

from paydesk.django.views import view_of

# As in every framework; here without the slash in front, as Django has it.
PATHS = {
    "webhook": "webhooks/stripe",
    "pricing": "pricing",
    "checkout": "checkout",
    "subscribe": "subscribe",
    "thanks": "thanks",
    "account": "account",
    "portal": "billing-portal",
    "health": "paydesk/health",
    "metrics": "paydesk/metrics",
}

app_name = "paydesk"
urlpatterns = [path(address, view_of(name), name=name) for name, address in PATHS.items()]
