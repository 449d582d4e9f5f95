"""`manage.py check`: what is wrong with this project's billing, all of it, before a customer finds out.

| id      | says                                                                      |
|---------|---------------------------------------------------------------------------|
| W001    | there are no Secrets yet: nothing can be sold                             |
| E001    | a Secret, or a key of PAYDESK, is wrong                                   |
| E002    | the catalog cannot be sold from                                           |
| E003    | OWNER names no function                                                   |
| E004    | a gate asks for something that no plan has                                |
| W002    | the routes are not in ROOT_URLCONF                                        |
| W003    | nobody is ever signed in: no AuthenticationMiddleware, and no OWNER       |
| E005    | Django's history says that the tables are there, and they are not         |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.utils.module_loading import import_string

from paydesk.billing.catalog import Catalog
from paydesk.billing.gates import known_codes
from paydesk.django import wiring
from paydesk.django.mount import NOT_MOUNTED, prefix
from paydesk.errors import ConfigurationError, PaydeskError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
NO_SECRETS = "paydesk has no STRIPE_SECRET_KEY: nothing can be sold, and Stripe is not heard."


def register() -> None:
    """Have `manage.py check` ask us too."""
    checks.register(check_project)
    checks.register(check_tables, checks.Tags.database)


def check_project(**_: Any) -> list[checks.CheckMessage]:
    """What can be told from the settings, the catalog and the project's code."""
    if not wiring.is_dict():
        return [checks.Error("PAYDESK in settings.py is no dict.", id="paydesk.E001")]
    return [*_secrets(), *_owner(), *_routes()]


def check_tables(databases: Sequence[str] | None = None, **_: Any) -> Iterable[checks.CheckMessage]:
    """Whether the tables are where Django's history says that they are.

    That it has not come so far is Django's to say: `manage.py runserver` does, and `migrate` is told so by nobody.
    """
    from paydesk.billing.store.migrations import HEAD, revision_of
    from paydesk.billing.store.store import Store
    from paydesk.django.database import url_of

    if not wiring.is_dict() or wiring.alias() not in (databases or ()) or not _is_migrated():
        return []
    store = Store.open(url_of(wiring.alias()), prefix=wiring.table_prefix())
    try:
        revision = revision_of(store)
    finally:
        store.close()
    if revision >= HEAD:
        return []
    state = f"at revision {revision} of {HEAD}" if revision else "missing"
    hint = "Was DATABASE or TABLE_PREFIX changed, or a backup brought back in part? Bring the rest back as well."
    return [checks.Error(f"paydesk's tables are {state}, and Django has migrated them.", hint=hint, id="paydesk.E005")]


def _is_migrated() -> bool:
    """Whether Django's history has all our migrations."""
    loader = MigrationLoader(connections[wiring.alias()])
    return all(leaf in loader.applied_migrations for leaf in loader.graph.leaf_nodes("paydesk"))


def _secrets() -> Iterator[checks.CheckMessage]:
    try:
        ours = wiring.said()
        if not wiring.environment(ours).get("STRIPE_SECRET_KEY"):
            hint = "Set the Secrets in the environment or in PAYDESK; `paydesk dev -- manage.py runserver` sets them."
            yield checks.Warning(NO_SECRETS, hint=hint, id="paydesk.W001")
            return
        wired = wiring.read()
    except ConfigurationError as error:
        yield from (checks.Error(mistake, id="paydesk.E001") for mistake in error.mistakes)
        return
    try:
        catalog = wired.catalog or Catalog.load(wired.settings.catalog_path)
    except PaydeskError as error:
        yield checks.Error(str(error), id="paydesk.E002")
        return
    yield from _gates(catalog)


def _gates(catalog: Catalog) -> Iterator[checks.CheckMessage]:
    from paydesk.django.gates import required

    known = known_codes(catalog.plans.values())
    for code in sorted(required - known):
        hint = f"There are: {', '.join(sorted(known)) or 'no plans at all'}."
        yield checks.Error(f"@require({code!r}): no plan of the catalog has that.", hint=hint, id="paydesk.E004")


def _owner() -> Iterator[checks.CheckMessage]:
    setting = wiring.owner_setting()
    if isinstance(setting, str):
        try:
            setting = import_string(setting)
        except ImportError as error:
            yield checks.Error(f"OWNER in PAYDESK: {error}.", id="paydesk.E003")
            return
    if setting is not None and not callable(setting):
        yield checks.Error("OWNER in PAYDESK is no function of the request.", id="paydesk.E003")
    if setting is None and not (apps.is_installed("django.contrib.auth") and AUTHENTICATION in settings.MIDDLEWARE):
        hint = f"Add {AUTHENTICATION} to MIDDLEWARE, or name a function of yours as OWNER."
        yield checks.Warning("Everybody is a guest: nobody can subscribe.", hint=hint, id="paydesk.W003")


def _routes() -> Iterator[checks.CheckMessage]:
    try:
        prefix()
    except ConfigurationError:
        yield checks.Warning(NOT_MOUNTED, id="paydesk.W002")
