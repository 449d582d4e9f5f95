"""Where everything is."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from shelf import views

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in", views.sign_in, name="sign-in"),
    path("drafts", views.drafts, name="drafts"),
    path("", include("paydesk.django.urls")),
    path("admin/", admin.site.urls),
]
