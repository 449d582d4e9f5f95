"""The routes of the tests' project."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("paydesk.django.urls")),
    path("admin/", admin.site.urls),
]
