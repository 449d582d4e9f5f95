"""paydesk for Django: an app for INSTALLED_APPS.

    INSTALLED_APPS = [..., "paydesk.django"]
    PAYDESK = {"BASE_URL": "https://shop.example"}                  # the rest from the environment, or here

    urlpatterns = [..., path("", include("paydesk.django.urls"))]

    # shop/billing.py: found by itself, as admin.py is
    from paydesk import OrderPaid
    from paydesk.django import desk

    @desk.on(OrderPaid)                                             # once per order, on Django's own transaction
    def deliver(paid):
        Copy.objects.create(order_id=paid.order.id)

`manage.py migrate` makes the tables, `manage.py check` says what is wrong, `manage.py paydesk` has the commands.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from paydesk.django.lazy import desk

if TYPE_CHECKING:
    from paydesk.django.gates import require
    from paydesk.django.owners import owner

__all__ = ["desk", "owner", "require"]

# Django imports this before there are models; these want some.
_HOMES = {"owner": "paydesk.django.owners", "require": "paydesk.django.gates"}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(_HOMES[name]), name)
