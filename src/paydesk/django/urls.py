"""Our routes, wherever the project puts them: `path("", include("paydesk.django.urls"))`."""

from __future__ import annotations

app_name = "paydesk"
urlpatterns: list[object] = []
