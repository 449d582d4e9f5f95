"""Where the project has mounted our routes."""

from __future__ import annotations

from django.urls import NoReverseMatch, get_script_prefix, reverse

from paydesk.errors import ConfigurationError

NOT_MOUNTED = (
    "paydesk's routes are not in ROOT_URLCONF, so customers have nowhere to return to and Stripe nowhere to call. "
    'Add path("", include("paydesk.django.urls")).'
)


def prefix() -> str:
    """The path below which our routes are, such as "/billing"; below whatever the server itself is mounted at.

    Raises ConfigurationError if they are nowhere.
    """
    try:
        path = reverse("paydesk:pricing")
    except NoReverseMatch:
        raise ConfigurationError([NOT_MOUNTED]) from None
    below = path.removeprefix(get_script_prefix().rstrip("/"))
    return below.removesuffix("/pricing")
