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

from paydesk.django.lazy import desk

__all__ = ["desk"]
