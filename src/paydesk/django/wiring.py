"""What settings.py says about paydesk, and what it leaves to the environment.

    PAYDESK = {
        "BASE_URL": "https://shop.example",
        "STRIPE_SECRET_KEY": env("STRIPE_SECRET_KEY"),
        "OWNER": "shop.teams.owner_of",         # who pays, where that is not request.user
    }

A key that is not there is read from the environment, under the name it has in every other app.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS

from paydesk.billing.catalog import Catalog
from paydesk.billing.settings import Settings
from paydesk.django.database import url_of
from paydesk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

# Django's tables are named after their app, and so are ours among them.
TABLE_PREFIX = "paydesk_"

# A key of PAYDESK, and the environment's name for it.
SECRETS = {
    "STRIPE_SECRET_KEY": "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET": "STRIPE_WEBHOOK_SECRET",
    "STRIPE_PUBLISHABLE_KEY": "STRIPE_PUBLISHABLE_KEY",
    "STRIPE_API_BASE": "STRIPE_API_BASE",
    "BASE_URL": "BASE_URL",
    "CATALOG": "PAYDESK_CATALOG",
    "TABLE_PREFIX": "PAYDESK_TABLE_PREFIX",
    "WORKER": "PAYDESK_WORKER",
    "KEEP_DAYS": "PAYDESK_KEEP_DAYS",
    "LATE_SECONDS": "PAYDESK_LATE_SECONDS",
    "METRICS_TOKEN": "PAYDESK_METRICS_TOKEN",
    "MAIL_URL": "MAIL_URL",
    "MAIL_FROM": "MAIL_FROM",
    "MAIL_KINDS": "MAIL_KINDS",
}
# And the other way round.
KEYS = {name: key for key, name in SECRETS.items()}
OWN = ("DATABASE", "OWNER", "NAME", "TEMPLATES", "PRICES")


@dataclass(frozen=True)
class Wiring:
    """The desk's settings, and what only Django's has: `owner` finds out who pays, `name` is the shop's."""

    settings: Settings
    alias: str
    name: str | None
    templates: Path | str | None
    catalog: Catalog | None


def read() -> Wiring:
    """The wiring, checked. Raises ConfigurationError with every mistake there is."""
    ours = said()
    if unknown := sorted(set(ours) - {*SECRETS, *OWN}):
        known = ", ".join([*SECRETS, *OWN])
        raise ConfigurationError([f"PAYDESK in settings.py has no {key!r}. There are: {known}." for key in unknown])
    return Wiring(
        settings=Settings.read(environment(ours)),
        alias=alias(),
        name=ours.get("NAME"),
        templates=ours.get("TEMPLATES"),
        catalog=ours["CATALOG"] if isinstance(ours.get("CATALOG"), Catalog) else None,
    )


def said() -> dict[str, Any]:
    """What PAYDESK in settings.py says."""
    if not is_dict():
        raise ConfigurationError(["PAYDESK in settings.py is no dict."])
    return dict(getattr(settings, "PAYDESK", {}))


def is_dict() -> bool:
    """Whether it says anything that can be read."""
    return isinstance(getattr(settings, "PAYDESK", {}), Mapping)


def environment(ours: Mapping[str, Any]) -> dict[str, str]:
    """The environment, with what settings.py says in the place of what it says itself."""
    prices = {f"STRIPE_PRICE_{str(code).upper()}": str(price) for code, price in dict(ours.get("PRICES", {})).items()}
    given = {name: _text(ours[key]) for key, name in SECRETS.items() if _is_said(ours.get(key))}
    catalog = Path(getattr(settings, "BASE_DIR", ".")) / "paydesk.toml"
    defaults = {"PAYDESK_TABLE_PREFIX": TABLE_PREFIX, "PAYDESK_CATALOG": str(catalog)}
    # The database is Django's, and its tables are made by `manage.py migrate` alone.
    fixed = {"DATABASE_URL": url_of(alias()), "PAYDESK_MIGRATE": "0", "PAYDESK_TABLE_SCHEMA": ""}
    return {**defaults, **os.environ, **given, **prices, **fixed}


def alias() -> str:
    """Which of DATABASES has paydesk's tables."""
    return str(said().get("DATABASE", DEFAULT_DB_ALIAS))


def table_prefix() -> str:
    """What our tables' names begin with."""
    return str(said().get("TABLE_PREFIX", os.environ.get("PAYDESK_TABLE_PREFIX", TABLE_PREFIX)))


def owner_setting() -> str | Callable[..., Any] | None:
    """The app's function that says who pays, or its dotted path; None where that is request.user."""
    found: str | Callable[..., Any] | None = said().get("OWNER")
    return found


def _is_said(value: Any) -> bool:
    return value is not None and not isinstance(value, Catalog)


def _text(value: Any) -> str:
    """A value of settings.py as the environment would have it."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list | tuple):
        return ",".join(str(each) for each in value)
    return str(value)
