"""Who pays: request.user, or whoever the project's own function names, such as the user's team.

PAYDESK = {"OWNER": "shop.teams.owner_of"}

def owner_of(request):                       # anything with an id and an email, any model, or None
    return request.user.team if request.user.is_authenticated else None
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.db import models
from django.utils.module_loading import import_string

from paydesk.billing.customers import User
from paydesk.django import wiring

if TYPE_CHECKING:
    from django.http import HttpRequest

    from paydesk.billing.customers import Payer


def owner(request: HttpRequest) -> Payer | None:
    """Who pays for what this request asks; None for somebody who is not signed in."""
    setting = wiring.owner_setting()
    if setting is None:
        return payer(getattr(request, "user", None))
    find = import_string(setting) if isinstance(setting, str) else setting
    return payer(find(request))


def payer(found: Any) -> Payer | None:
    """A user or any other model as the desk takes it: its key, whatever that is called, and its e-mail address."""
    if found is None or not getattr(found, "is_authenticated", True):
        return None
    if not isinstance(found, models.Model):
        return cast("Payer", found)
    # A user model may call its address as it likes, and says how.
    name = found.get_email_field_name() if hasattr(found, "get_email_field_name") else "email"
    return User(str(found.pk), getattr(found, name, None) or None)
