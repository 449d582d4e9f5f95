"""The reading room's own pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model, login
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from paydesk.django import require
from shelf.models import Copy

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def home(request: HttpRequest) -> HttpResponse:
    """What is on the visitor's shelf, and what there is to buy."""
    copies = Copy.objects.filter(owner_id=request.user.pk).order_by("pk")
    return render(request, "shelf/home.html", {"copies": copies})


@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    """Toy sign-in: a name is enough. A real shop has django.contrib.auth's views here."""
    name = request.POST.get("name", "")[:40] or "ada"
    user, _ = get_user_model().objects.get_or_create(username=name, defaults={"email": f"{name}@example.com"})
    login(request, user)
    return redirect("home")


@require("drafts")
def drafts(request: HttpRequest) -> HttpResponse:
    """For those whose plan has it."""
    return render(request, "shelf/drafts.html")
