"""Secrets become settings, or every reason why not is given at once."""

from __future__ import annotations

import pytest

from paydesk.billing.post import KINDS
from paydesk.billing.settings import Settings
from paydesk.errors import ConfigurationError

GOOD = {
    "STRIPE_SECRET_KEY": "sk_test_51abcDEF",
    "STRIPE_WEBHOOK_SECRET": "whsec_abcdef",
    "BASE_URL": "https://shop.example",
}


def mistakes(**changes: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as refusal:
        Settings.read({**GOOD, **changes})
    return refusal.value.mistakes


def test_three_secrets_are_enough() -> None:
    """Key, webhook secret and address: the rest has sensible defaults."""
    settings = Settings.read(GOOD)

    assert settings.stripe_secret_key.get_secret_value() == "sk_test_51abcDEF"
    assert settings.stripe_api_base == "https://api.stripe.com"
    assert settings.database_url.get_secret_value() == "sqlite:///paydesk.db"
    assert settings.catalog_path == "paydesk.toml"
    assert not settings.livemode
    assert settings.is_migrating
    assert settings.is_working


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"STRIPE_SECRET_KEY": ""}, "STRIPE_SECRET_KEY is missing"),
        ({"STRIPE_SECRET_KEY": "pk_test_51abc"}, "publishable key"),
        ({"STRIPE_SECRET_KEY": "whsec_abc"}, "webhook secret"),
        ({"STRIPE_SECRET_KEY": "sk_test_…"}, "does not look like a secret key"),
        ({"STRIPE_SECRET_KEY": '"sk_test_51abc"'}, "does not look like a secret key"),
        ({"STRIPE_PUBLISHABLE_KEY": "pk_live_51abc"}, "same mode"),
        ({"STRIPE_PUBLISHABLE_KEY": "sk_test_51abc"}, "not a publishable key"),
        ({"STRIPE_WEBHOOK_SECRET": ""}, "STRIPE_WEBHOOK_SECRET is missing"),
        ({"STRIPE_WEBHOOK_SECRET": " , "}, "STRIPE_WEBHOOK_SECRET is missing"),
        ({"STRIPE_WEBHOOK_SECRET": "sk_test_51abc"}, "holds an API key"),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_a,secret"}, "Value 2 of STRIPE_WEBHOOK_SECRET"),
        ({"STRIPE_SECRET_KEY": "sk_live_51abc", "STRIPE_API_BASE": "http://127.0.0.1:12111"}, "live key but"),
        ({"STRIPE_SECRET_KEY": "rk_live_51abc", "STRIPE_API_BASE": "https://stripe.example"}, "live key but"),
        ({"STRIPE_SECRET_KEY": "sk_live_local_ada"}, "only a local Stripe knows"),
        ({"STRIPE_API_BASE": "localhost:12111"}, "STRIPE_API_BASE is not a web address"),
        ({"STRIPE_API_BASE": "http://[::1"}, "STRIPE_API_BASE is not a web address"),
        ({"BASE_URL": ""}, "BASE_URL is missing"),
        ({"BASE_URL": "shop.example"}, "BASE_URL is not a plain web address"),
        ({"BASE_URL": "https://shop.example/?a=1"}, "BASE_URL is not a plain web address"),
        ({"BASE_URL": "https://shop.example\n.evil.example"}, "BASE_URL is not a plain web address"),
        ({"BASE_URL": "https://shop example"}, "BASE_URL is not a plain web address"),
        ({"BASE_URL": "https://ada:pw@shop.example"}, "BASE_URL is not a plain web address"),
        ({"BASE_URL": "http://shop.example", "STRIPE_SECRET_KEY": "sk_live_51abc"}, "come back over https"),
        ({"DATABASE_URL": "mysql://db/shop"}, "neither sqlite"),
        ({"DATABASE_URL": "sqlite://"}, "neither sqlite"),
        ({"DATABASE_URL": "sqlite:///:memory:"}, "forgets who has paid"),
        ({"STRIPE_PRICE_EBOOK": "prod_123"}, "STRIPE_PRICE_EBOOK holds no price"),
        ({"PAYDESK_TABLE_PREFIX": "Robert'); --"}, "PAYDESK_TABLE_PREFIX"),
        ({"PAYDESK_MIGRATE": "maybe"}, "PAYDESK_MIGRATE"),
        ({"PAYDESK_WORKER": "no"}, "PAYDESK_WORKER"),
        ({"MAIL_URL": "smtp://mail.example"}, "MAIL_FROM is missing"),
        ({"MAIL_URL": "https://mail.example", "MAIL_FROM": "a@b.example"}, "neither with smtp"),
        ({"MAIL_URL": "smtp://ada:a/b@mail.example", "MAIL_FROM": "a@b.example"}, "%2F"),
        ({"MAIL_URL": "smtp://ada:a#b@mail.example", "MAIL_FROM": "a@b.example"}, "%2F"),
        ({"MAIL_URL": "smtp://:secret@mail.example", "MAIL_FROM": "a@b.example"}, "no user"),
        ({"MAIL_URL": "smtp://", "MAIL_FROM": "a@b.example"}, "names no host"),
        ({"MAIL_FROM": "The Bookshop"}, "MAIL_FROM is no address"),
        ({"MAIL_KINDS": "receipt,newsletter"}, "names newsletter"),
    ],
)
def test_each_mistake_is_refused_with_its_sentence(changes: dict[str, str], sentence: str) -> None:
    """What would fail at the first sale fails at the start, and says what to do."""
    found = mistakes(**changes)

    assert len(found) == 1
    assert sentence in found[0]


def test_all_mistakes_are_listed_at_once() -> None:
    """Nobody restarts four times to find four mistakes."""
    with pytest.raises(ConfigurationError) as refusal:
        Settings.read({"STRIPE_API_BASE": "nowhere", "STRIPE_PRICE_PRO": "prod_1"})

    assert len(refusal.value.mistakes) == 5
    assert str(refusal.value).count("\n  - ") == 5


def test_a_refusal_repeats_no_secret() -> None:
    """The message may be pasted into a ticket."""
    text = "\n".join(
        [
            *mistakes(STRIPE_SECRET_KEY="sk_test_51abc DEF"),
            *mistakes(STRIPE_WEBHOOK_SECRET="sk_test_51abcDEF"),
            *mistakes(STRIPE_PUBLISHABLE_KEY="sk_live_51abcDEF"),
        ]
    )

    assert "51abc" not in text


def test_settings_show_no_secret() -> None:
    """Settings end up in debug output sooner or later."""
    settings = Settings.read({**GOOD, "DATABASE_URL": "postgresql://ada:hunter2@db/shop"})

    assert "51abc" not in repr(settings)
    assert "abcdef" not in repr(settings)
    assert "hunter2" not in repr(settings)


def test_several_webhook_secrets_are_kept_in_order() -> None:
    """While a secret is being rotated, both are good."""
    settings = Settings.read({**GOOD, "STRIPE_WEBHOOK_SECRET": "whsec_new, whsec_old,whsec_new"})

    assert [secret.get_secret_value() for secret in settings.stripe_webhook_secrets] == ["whsec_new", "whsec_old"]


def test_a_rehearsal_key_goes_live_against_the_local_stripe_only() -> None:
    """Going live can be practised without a real key."""
    settings = Settings.read(
        {**GOOD, "STRIPE_SECRET_KEY": "sk_live_local_ada", "STRIPE_API_BASE": "http://127.0.0.1:12111/"}
    )

    assert settings.livemode
    assert settings.stripe_api_base == "http://127.0.0.1:12111"


@pytest.mark.parametrize("address", ["http://localhost:8000", "http://127.0.0.1:8000", "http://shop.localhost"])
def test_a_live_key_may_be_tried_on_this_machine(address: str) -> None:
    """http is fine where nobody else can listen."""
    settings = Settings.read({**GOOD, "STRIPE_SECRET_KEY": "sk_live_51abc", "BASE_URL": address})

    assert settings.base_url == address


def test_blanks_and_slashes_around_values_do_no_harm() -> None:
    """Values are pasted by people."""
    settings = Settings.read({**GOOD, "STRIPE_SECRET_KEY": " sk_test_51abc\n", "BASE_URL": " https://shop.example/ "})

    assert settings.stripe_secret_key.get_secret_value() == "sk_test_51abc"
    assert settings.base_url == "https://shop.example"


def test_prices_are_read_by_code() -> None:
    """STRIPE_PRICE_<CODE> names the price of a product or plan."""
    settings = Settings.read({**GOOD, "STRIPE_PRICE_EBOOK": "price_1", "STRIPE_PRICE_PRO": ""})

    assert settings.prices == {"EBOOK": "price_1"}


def test_given_values_are_not_mixed_with_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that passes its Secrets gets exactly those."""
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_fromoutside")

    with pytest.raises(ConfigurationError, match="STRIPE_SECRET_KEY is missing"):
        Settings.read({name: value for name, value in GOOD.items() if name != "STRIPE_SECRET_KEY"})


def test_the_environment_is_read_when_nothing_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """In an app the Secrets are environment variables."""
    for name, value in {**GOOD, "STRIPE_PRICE_EBOOK": "price_1", "PAYDESK_MIGRATE": "0", "PAYDESK_WORKER": "0"}.items():
        monkeypatch.setenv(name, value)

    settings = Settings.read()

    assert settings.base_url == "https://shop.example"
    assert settings.prices["EBOOK"] == "price_1"
    assert not settings.is_migrating
    assert not settings.is_working


def test_mails_are_off_unless_a_server_is_named() -> None:
    """And all kinds are sent unless some are named."""
    off = Settings.read(GOOD)
    on = Settings.read({**GOOD, "MAIL_URL": "smtps://ada:geheim@mail.example", "MAIL_FROM": "a@shop.example"})
    few = Settings.read({**GOOD, "MAIL_KINDS": "ended, receipt"})

    assert off.mail_url is None
    assert on.mail_url is not None
    assert on.mail_kinds == KINDS
    assert few.mail_kinds == ("receipt", "ended")
    assert "geheim" not in repr(on)
