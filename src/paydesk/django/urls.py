"""Our routes, wherever the project puts them: `path("", include("paydesk.django.urls"))`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.urls import path

from paydesk.billing.web.routes import routes_of
from paydesk.django.views import view_of

if TYPE_CHECKING:
    from paydesk.billing.desk import Paydesk


class _Nowhere:
    """As much of a desk as its routes need to have addresses. The desk itself is made when it is first asked."""

    prefix = ""
    webhook_bytes_max = 0


app_name = "paydesk"
urlpatterns = [
    path(route.path.removeprefix("/"), view_of(route.name), name=route.name)
    for route in routes_of(cast("Paydesk", _Nowhere()))
]
