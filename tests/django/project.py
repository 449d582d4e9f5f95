"""The tests' project, settled once in a process: whoever needs Django asks for it first."""

from __future__ import annotations

import os

import django
from django.conf import settings


def settle() -> None:
    """Give Django its settings, unless it has them."""
    if settings.configured:
        return
    from tests.django import settings as project

    # A browser that was driven before leaves its event loop in this thread, and Django would refuse to work there.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

    settings.configure(**{name: value for name, value in vars(project).items() if name.isupper()})
    django.setup()
