"""Secrets to settings: read once, checked whole, refused before anything is sold.

An app's Secrets are environment variables. They are read here and nowhere
else, and whatever is wrong with them is said at once, all of it, because a
wrong key found later is found by a customer.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from paydesk.billing.post import KINDS, Kind, Server, address
from paydesk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_settings import PydanticBaseSettingsSource

STRIPE_API_BASE = "https://api.stripe.com"
DATABASE_URL = "sqlite:///paydesk.db"
CATALOG_PATH = "paydesk.toml"
PRICE_PREFIX = "STRIPE_PRICE_"

# The local Stripe opens a live-mode world for these, so that going live can be practised. They are nobody's real key.
REHEARSAL_PREFIXES = ("sk_live_local_", "rk_live_local_")

# Stripe can resend an event for thirty days; a row forgotten sooner could be applied twice.
KEEP_DAYS_MIN = 35

# Webhooks are worked on within a second. So late, something is wrong that does not pass by itself.
LATE_SECONDS = 300

METRICS_TOKEN_CHARACTERS_MIN = 16

_SECRET_KEY = re.compile(r"(?:sk|rk)_(?:test|live)_[A-Za-z0-9_]+")
_PUBLISHABLE_KEY = re.compile(r"pk_(test|live)_[A-Za-z0-9_]+")
_WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]+")
_NO_PRICE = re.compile(r"(?:prod|sk|rk|pk|whsec)_")
_DATABASE = re.compile(r"sqlite(\+pysqlite)?:///(?P<file>.*)|postgres(ql)?(\+psycopg)?://.+")
_TABLE_PART = re.compile(r"(?:[a-z][a-z0-9_]{0,29})?")


@dataclass(frozen=True)
class Settings:
    """What the desk runs on, checked. Make one with `read()`; the values never show in a repr.

    `prices` holds the ids of STRIPE_PRICE_<CODE> by upper-case code. `base_url`
    and `stripe_api_base` have no slash at the end.
    """

    stripe_secret_key: SecretStr
    stripe_webhook_secrets: tuple[SecretStr, ...]
    base_url: str
    database_url: SecretStr = field(default_factory=lambda: SecretStr(DATABASE_URL))
    stripe_api_base: str = STRIPE_API_BASE
    prices: Mapping[str, str] = field(default_factory=dict)
    catalog_path: str = CATALOG_PATH
    table_prefix: str = ""
    table_schema: str | None = None
    is_migrating: bool = True
    is_working: bool = True
    keep_days: int | None = None
    late_seconds: int = LATE_SECONDS
    metrics_token: SecretStr | None = None
    mail_url: SecretStr | None = None
    mail_from: str = ""
    mail_kinds: tuple[Kind, ...] = KINDS

    @property
    def livemode(self) -> bool:
        """Whether the key moves real money (or rehearses doing so)."""
        return _livemode(self.stripe_secret_key.get_secret_value())

    @property
    def origin(self) -> str:
        """Scheme, host and port of `base_url`, as a browser writes them in the Origin header."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read and check the Secrets: the process's own, or exactly those given.

        Raises ConfigurationError with every mistake there is.
        """
        if environment is None:
            return _checked(_Secrets(), os.environ)
        given = {name.lower(): value for name, value in environment.items()}
        return _checked(_GivenSecrets.model_validate(given), environment)


class _Secrets(BaseSettings):
    """The Secrets as they were found: nothing is believed yet."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    stripe_secret_key: SecretStr = SecretStr("")
    stripe_webhook_secret: SecretStr = SecretStr("")
    stripe_publishable_key: str = ""
    stripe_api_base: str = ""
    database_url: SecretStr = SecretStr("")
    base_url: str = ""
    paydesk_catalog: str = ""
    paydesk_table_prefix: str = ""
    paydesk_table_schema: str = ""
    paydesk_migrate: str = ""
    paydesk_worker: str = ""
    paydesk_keep_days: str = ""
    paydesk_late_seconds: str = ""
    paydesk_metrics_token: SecretStr = SecretStr("")
    mail_url: SecretStr = SecretStr("")
    mail_from: str = ""
    mail_kinds: str = ""


class _GivenSecrets(_Secrets):
    """The same, from what is passed in alone: the process's environment is not looked at."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def _checked(secrets: _Secrets, environment: Mapping[str, str]) -> Settings:
    """The settings these Secrets make, or every reason why they make none."""
    key = secrets.stripe_secret_key.get_secret_value().strip()
    webhook_secrets = _listed(secrets.stripe_webhook_secret.get_secret_value())
    api_base = (secrets.stripe_api_base.strip() or STRIPE_API_BASE).rstrip("/")
    base_url = secrets.base_url.strip().rstrip("/")
    metrics_token = secrets.paydesk_metrics_token.get_secret_value().strip()
    mail_url = secrets.mail_url.get_secret_value().strip()
    mail_from, mail_kinds = secrets.mail_from.strip(), _listed(secrets.mail_kinds)
    prices = {
        name.upper().removeprefix(PRICE_PREFIX): value.strip()
        for name, value in environment.items()
        if name.upper().startswith(PRICE_PREFIX) and value.strip()
    }
    mistakes = [
        *_key_mistakes(key),
        *_publishable_key_mistakes(secrets.stripe_publishable_key.strip(), key),
        *_webhook_secret_mistakes(webhook_secrets),
        *_api_base_mistakes(api_base, key),
        *_base_url_mistakes(base_url, key),
        *_database_mistakes(secrets.database_url.get_secret_value().strip() or DATABASE_URL),
        *_price_mistakes(prices),
        *_table_mistakes(secrets.paydesk_table_prefix, secrets.paydesk_table_schema),
        *_migrate_mistakes(secrets.paydesk_migrate.strip()),
        *_worker_mistakes(secrets.paydesk_worker.strip()),
        *_keep_mistakes(secrets.paydesk_keep_days.strip()),
        *_late_mistakes(secrets.paydesk_late_seconds.strip()),
        *_metrics_mistakes(metrics_token),
        *_mail_mistakes(mail_url, mail_from, mail_kinds),
    ]
    if mistakes:
        raise ConfigurationError(mistakes)
    return Settings(
        stripe_secret_key=SecretStr(key),
        stripe_webhook_secrets=tuple(SecretStr(secret) for secret in webhook_secrets),
        base_url=base_url,
        database_url=SecretStr(secrets.database_url.get_secret_value().strip() or DATABASE_URL),
        stripe_api_base=api_base,
        prices=prices,
        catalog_path=secrets.paydesk_catalog.strip() or CATALOG_PATH,
        table_prefix=secrets.paydesk_table_prefix,
        table_schema=secrets.paydesk_table_schema or None,
        is_migrating=secrets.paydesk_migrate.strip() != "0",
        is_working=secrets.paydesk_worker.strip() != "0",
        keep_days=int(secrets.paydesk_keep_days) if secrets.paydesk_keep_days.strip() else None,
        late_seconds=int(secrets.paydesk_late_seconds.strip() or LATE_SECONDS),
        metrics_token=SecretStr(metrics_token) if metrics_token else None,
        mail_url=SecretStr(mail_url) if mail_url else None,
        mail_from=mail_from,
        mail_kinds=tuple(kind for kind in KINDS if kind in mail_kinds or not mail_kinds),
    )


def _key_mistakes(key: str) -> Iterator[str]:
    name = "STRIPE_SECRET_KEY"
    if not key:
        yield f"{name} is missing. Copy the secret key (sk_test_…) from Stripe's dashboard: Developers, API keys."
    elif key.startswith("pk_"):
        yield f"{name} holds a publishable key (pk_…). That one is for browsers: put the secret key (sk_…) here."
    elif key.startswith("whsec_"):
        yield f"{name} holds a webhook secret (whsec_…). That belongs in STRIPE_WEBHOOK_SECRET; here goes sk_…."
    elif not _SECRET_KEY.fullmatch(key):
        yield (
            f"{name} does not look like a secret key. It starts with sk_test_, sk_live_, rk_test_ or rk_live_, "
            "then come letters and digits, with no quotes or blanks."
        )


def _publishable_key_mistakes(publishable: str, key: str) -> Iterator[str]:
    if not publishable:
        return
    name = "STRIPE_PUBLISHABLE_KEY"
    match = _PUBLISHABLE_KEY.fullmatch(publishable)
    if match is None:
        yield f"{name} is not a publishable key (pk_…). It ends up in browsers: make sure it is no secret."
    elif _SECRET_KEY.fullmatch(key) and (match[1] == "live") != _livemode(key):
        ours = "live" if _livemode(key) else "test"
        yield f"{name} is of {match[1]} mode but STRIPE_SECRET_KEY of {ours} mode. Take both from the same mode."


def _webhook_secret_mistakes(webhook_secrets: list[str]) -> Iterator[str]:
    if not webhook_secrets:
        yield (
            "STRIPE_WEBHOOK_SECRET is missing. Without it nobody can tell Stripe's webhooks from forged ones: copy the "
            "signing secret (whsec_…) of your endpoint from Stripe's dashboard: Developers, Webhooks."
        )
    for number, secret in enumerate(webhook_secrets, start=1):
        which = f"Value {number} of STRIPE_WEBHOOK_SECRET" if len(webhook_secrets) > 1 else "STRIPE_WEBHOOK_SECRET"
        if secret.startswith(("sk_", "rk_", "pk_")):
            yield f"{which} holds an API key. Put the signing secret of the webhook endpoint (whsec_…) here."
        elif not _WEBHOOK_SECRET.fullmatch(secret):
            yield f"{which} is not a signing secret: those start with whsec_. While rotating, separate two by a comma."


def _api_base_mistakes(api_base: str, key: str) -> Iterator[str]:
    name = "STRIPE_API_BASE"
    is_rehearsal = key.startswith(REHEARSAL_PREFIXES)
    if not _is_web_address(api_base):
        yield f"{name} is not a web address. Leave it out to use Stripe; `paydesk dev` sets it for the local Stripe."
    elif api_base == STRIPE_API_BASE and is_rehearsal:
        yield f"STRIPE_SECRET_KEY is a rehearsal key, which only a local Stripe knows. Set {name}, or use a real key."
    elif api_base != STRIPE_API_BASE and _SECRET_KEY.fullmatch(key) and _livemode(key) and not is_rehearsal:
        yield (
            f"STRIPE_SECRET_KEY is a live key but {name} is {api_base}. A live key is only ever sent to Stripe itself: "
            f"remove {name}, or use a test key."
        )


def _base_url_mistakes(base_url: str, key: str) -> Iterator[str]:
    if not base_url:
        yield "BASE_URL is missing. It is the address customers come back to after paying: https://shop.example."
    elif not _is_web_address(base_url) or urlsplit(base_url).query or urlsplit(base_url).fragment:
        yield "BASE_URL is not a plain web address. Write scheme and host, such as https://shop.example."
    elif urlsplit(base_url).scheme == "http" and not _is_loopback(base_url) and _livemode(key):
        yield f"BASE_URL is {base_url}, but with a live key customers come back over https. Write https://…."


def _database_mistakes(database_url: str) -> Iterator[str]:
    match = _DATABASE.fullmatch(database_url)
    if match is None:
        yield "DATABASE_URL is neither sqlite:///app.db nor postgresql://user:password@host/name."
    elif match["file"] in {"", ":memory:"}:
        yield "DATABASE_URL names a database in memory, which forgets who has paid. Name a file: sqlite:///app.db"


def _price_mistakes(prices: Mapping[str, str]) -> Iterator[str]:
    for code, price_id in prices.items():
        # Account owners may choose their prices' ids, so only what is certainly something else is refused.
        if _NO_PRICE.match(price_id):
            yield f"{PRICE_PREFIX}{code} holds no price. Copy the price's id (price_…) from the product at Stripe."


def _table_mistakes(prefix: str, schema: str) -> Iterator[str]:
    for name, value in (("PAYDESK_TABLE_PREFIX", prefix), ("PAYDESK_TABLE_SCHEMA", schema)):
        if not _TABLE_PART.fullmatch(value):
            yield f"{name} must be up to 30 lower-case letters, digits and underscores, a letter first."


def _migrate_mistakes(migrate: str) -> Iterator[str]:
    if migrate not in {"", "0", "1"}:
        yield "PAYDESK_MIGRATE is neither 0 nor 1. With 0, tables are changed by `paydesk migrate` alone."


def _worker_mistakes(worker: str) -> Iterator[str]:
    if worker not in {"", "0", "1"}:
        yield "PAYDESK_WORKER is neither 0 nor 1. With 0, an app leaves the work to `paydesk worker`."


def _mail_mistakes(url: str, sender: str, kinds: list[str]) -> Iterator[str]:
    if url:
        try:
            Server.parse(url)
        except ValueError as error:
            yield f"MAIL_URL {error}. Write it like smtps://user:password@smtp.example.com."
    if url and not sender:
        yield "MAIL_FROM is missing. It is the address that mails come from: Bookshop <billing@shop.example>."
    if sender:
        try:
            address(sender)
        except ValueError:
            yield "MAIL_FROM is no address. Write it like Bookshop <billing@shop.example>."
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        yield f"MAIL_KINDS names {', '.join(unknown)}, which is no kind of mail. There are: {', '.join(KINDS)}."


def _keep_mistakes(keep_days: str) -> Iterator[str]:
    if keep_days and not (keep_days.isascii() and keep_days.isdecimal() and KEEP_DAYS_MIN <= int(keep_days) <= 36500):
        yield (
            f"PAYDESK_KEEP_DAYS is not a number of days from {KEEP_DAYS_MIN} on. Stripe can tell of an event again for "
            "thirty days, so what is done is kept for longer. Leave it out to keep everything."
        )


def _late_mistakes(seconds: str) -> Iterator[str]:
    if seconds and not (seconds.isascii() and seconds.isdecimal() and 1 <= int(seconds) <= 86400):
        yield (
            "PAYDESK_LATE_SECONDS is not a number of seconds from 1 to 86400. When an event has waited for longer, the "
            f"health check answers 503. Leave it out for {LATE_SECONDS}."
        )


def _metrics_mistakes(token: str) -> Iterator[str]:
    if not token:
        return
    if len(token) < METRICS_TOKEN_CHARACTERS_MIN or not token.isascii() or not token.isprintable() or " " in token:
        yield (
            f"PAYDESK_METRICS_TOKEN is not {METRICS_TOKEN_CHARACTERS_MIN} or more letters and digits. "
            "Whoever has it may read the metrics: make one with `openssl rand -hex 16`."
        )
    if find_spec("prometheus_client") is None:
        yield "PAYDESK_METRICS_TOKEN is set, and what makes metrics is missing: pip install paydesk[metrics]"


def _livemode(key: str) -> bool:
    return key[2:].startswith("_live_")


def _listed(value: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))


def _is_web_address(address: str) -> bool:
    if not address.isprintable() or " " in address:
        return False  # urlsplit drops line breaks, whoever uses the address later does not
    try:
        parts = urlsplit(address)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return False


def _is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
