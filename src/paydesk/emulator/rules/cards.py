"""Test cards: every number that means something, and what it does.

A card is a row: who issued it, which magic ids stand for it, and where its life departs from that of a card which
simply works. Numbers that are in no row are not test cards.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from paydesk.emulator.rules import declines
from paydesk.emulator.rules.declines import Decline


class Authentication(Enum):
    """When a card's bank wants its holder to confirm a payment (3-D Secure)."""

    NEVER = "it is asked in vain: the attempt is acknowledged and the payment goes on"
    UNSUPPORTED = "the bank has no 3-D Secure"
    OPTIONAL = "only when the merchant asks for it"
    OPTIONAL_FAILS = "asking for it is a processing error"
    UNLESS_SET_UP = "always when the payer is there; without them unless the card was set up for that"
    UNLESS_OFF_SESSION = "when the payer is there; without them it counts as set up"
    ALWAYS = "every time"
    FRICTIONLESS = "required, and granted without a question"
    LOOKUP_FAILS = "required, and the bank's server cannot be asked"


@dataclass(frozen=True)
class Risk:
    """What Radar thinks of a payment."""

    level: str = "normal"
    score: int = 24


@dataclass(frozen=True)
class DisputeKind:
    """How a payment will be contested: Stripe's reason, the network's code, the status it opens with."""

    reason: str
    network_code: str
    is_inquiry: bool = False


@dataclass(frozen=True)
class Checks:
    """What the bank answers when it is sent a security code or an address."""

    cvc: str = "pass"
    line1: str = "pass"
    postal_code: str = "pass"


@dataclass(frozen=True)
class Card:
    """A test card.

    `alias` is what follows `pm_card_` and `tok_`; `aliases` are older names of the same. `declines` is what a charge
    meets, at attaching too unless `attaches`. `disputes` are opened after a successful charge. `refund` is `succeeds`,
    `pends` (then succeeds) or `fails` (after it seemed to succeed). With `bypasses_pending` the money is available at
    once. `asks_captcha` is for pages only.
    """

    number: str
    alias: str = ""
    aliases: tuple[str, ...] = ()
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    declines: Decline | None = None
    attaches: bool = True
    authentication: Authentication = Authentication.NEVER
    checks: Checks = Checks()
    risk: Risk = Risk()
    disputes: tuple[DisputeKind, ...] = ()
    is_reported_fraud: bool = False
    refund: str = "succeeds"
    bypasses_pending: bool = False
    asks_captcha: bool = False

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def knows_3d_secure(self) -> bool:
        return self.authentication is not Authentication.UNSUPPORTED

    @property
    def at_attach(self) -> Decline | None:
        """What the bank says when the card is saved for later."""
        return None if self.attaches else self.declines


def _declining(number: str, alias: str, decline: Decline, *aliases: str) -> Card:
    return Card(number, alias, aliases, declines=decline, attaches=False)


_FRAUD: Final = DisputeKind("fraudulent", "10.4")
_NOT_RECEIVED: Final = DisputeKind("product_not_received", "13.1")
_A: Final = Authentication

CARDS: Final = (
    Card("4242424242424242", "visa"),
    Card("4000056655665556", "visa_debit", funding="debit"),
    Card("5555555555554444", "mastercard", brand="mastercard"),
    Card("2223003122003222", "mastercard_2series", brand="mastercard"),
    Card("5200828282828210", "mastercard_debit", brand="mastercard", funding="debit"),
    Card("5105105105105100", "mastercard_prepaid", brand="mastercard", funding="prepaid"),
    Card("378282246310005", "amex", ("amex_threeDSecureNotSupported",), brand="amex", authentication=_A.UNSUPPORTED),
    Card("371449635398431", brand="amex"),
    Card("6011111111111117", "discover", brand="discover"),
    Card("6011000990139424", brand="discover"),
    Card("3056930009020004", "diners", brand="diners"),
    Card("36227206271667", brand="diners"),
    Card("3566002020360505", "jcb", brand="jcb", country="JP"),
    Card("6200000000000005", "unionpay", brand="unionpay", country="CN"),
    # Refused by the bank
    _declining("4000000000000002", "visa_chargeDeclined", declines.GENERIC, "chargeDeclined"),
    _declining(
        "4000000000009995",
        "visa_chargeDeclinedInsufficientFunds",
        declines.INSUFFICIENT_FUNDS,
        "chargeDeclinedInsufficientFunds",
    ),
    _declining("4000000000009987", "visa_chargeDeclinedLostCard", declines.LOST_CARD, "chargeDeclinedLostCard"),
    _declining("4000000000009979", "visa_chargeDeclinedStolenCard", declines.STOLEN_CARD, "chargeDeclinedStolenCard"),
    _declining(
        "4000000000000069", "chargeDeclinedExpiredCard", declines.EXPIRED_CARD, "visa_chargeDeclinedExpiredCard"
    ),
    _declining(
        "4000000000000127", "chargeDeclinedIncorrectCvc", declines.INCORRECT_CVC, "visa_chargeDeclinedIncorrectCvc"
    ),
    _declining(
        "4000000000000119",
        "chargeDeclinedProcessingError",
        declines.PROCESSING_ERROR,
        "visa_chargeDeclinedProcessingError",
    ),
    _declining(
        "4000000000006975",
        "visa_chargeDeclinedVelocityLimitExceeded",
        declines.VELOCITY,
        "chargeDeclinedVelocityLimitExceeded",
    ),
    _declining("4100000000000019", "radarBlock", declines.FRAUDULENT, "chargeDeclinedFraudulent"),
    Card("4000000000000341", "chargeCustomerFail", declines=declines.GENERIC),
    # Risk and checks
    Card("4000000000004954", "riskLevelHighest", risk=Risk("highest", 76)),
    Card("4000000000009235", "riskLevelElevated", risk=Risk("elevated", 66)),
    Card("4000000000000101", "cvcCheckFail", checks=Checks(cvc="fail")),
    Card("4000000000000036", "avsZipFail", checks=Checks(postal_code="fail")),
    Card("4000000000000028", "avsLine1Fail", checks=Checks(line1="fail")),
    Card("4000000000000010", "avsFail", checks=Checks(line1="fail", postal_code="fail")),
    Card("4000000000000044", "avsUnchecked", checks=Checks(line1="unavailable", postal_code="unavailable")),
    # 3-D Secure
    Card("4000002500003155", "authenticationRequiredOnSetup", country="FR", authentication=_A.UNLESS_SET_UP),
    Card("4000002760003184", "authenticationRequired", country="DE", authentication=_A.ALWAYS),
    Card(
        "4000003800000446",
        "authenticationRequiredSetupForOffSession",
        country="IT",
        authentication=_A.UNLESS_OFF_SESSION,
    ),
    Card(
        "4000008260003178",
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        country="GB",
        declines=declines.INSUFFICIENT_FUNDS,
        authentication=_A.ALWAYS,
    ),
    Card("4000000000003220", "threeDSecure2Required", country="IE", authentication=_A.ALWAYS),
    Card("4000008400000027", authentication=_A.ALWAYS),
    Card("4000000032200000", authentication=_A.FRICTIONLESS),
    Card(
        "4000008400001629",
        "threeDSecureRequiredChargeDeclined",
        declines=declines.GENERIC,
        authentication=_A.ALWAYS,
    ),
    Card("4000008400001280", "threeDSecureRequiredProcessingError", authentication=_A.LOOKUP_FAILS),
    Card("4000000000003055", "threeDSecureOptional", authentication=_A.OPTIONAL),
    Card("4000000000003097", "threeDSecureOptionalProcessingError", authentication=_A.OPTIONAL_FAILS),
    Card("4000000000001208", asks_captcha=True),
    Card("4000000000003725", asks_captcha=True),
    # Afterwards
    Card("4000000000000259", "createDispute", disputes=(_FRAUD,)),
    Card("4000000000002685", "createDisputeProductNotReceived", disputes=(_NOT_RECEIVED,)),
    Card("4000000000001976", "createDisputeInquiry", disputes=(DisputeKind("fraudulent", "10.4", is_inquiry=True),)),
    Card("4000000404000079", "createMultipleDisputes", disputes=(_FRAUD, _NOT_RECEIVED)),
    Card("4000000000005423", "createIssuerFraudRecord", is_reported_fraud=True),
    Card("4000000000007726", "pendingRefund", refund="pends"),
    Card("4000000000005126", "refundFail", refund="fails"),
    Card("4000000000000077", "bypassPending", bypasses_pending=True),
    Card("4000003720000278", "bypassPendingInternational", country="IE", bypasses_pending=True),
    # By country
    *(
        Card(number, country.lower(), (country,), country=country)
        for country, number in {
            "US": "4242424242424242",
            "AR": "4000000320000021",
            "BR": "4000000760000002",
            "CA": "4000001240000000",
            "CL": "4000001520000001",
            "CO": "4000001700000003",
            "MX": "4000004840008001",
            "AE": "4000007840000001",
            "AT": "4000000400000008",
            "BE": "4000000560000004",
            "BG": "4000001000000000",
            "CH": "4000007560000009",
            "CZ": "4000002030000002",
            "DE": "4000002760000016",
            "DK": "4000002080000001",
            "EE": "4000002330000009",
            "ES": "4000007240000007",
            "FI": "4000002460000001",
            "FR": "4000002500000003",
            "GB": "4000008260000000",
            "GR": "4000003000000030",
            "HU": "4000003480000005",
            "IE": "4000003720000005",
            "IT": "4000003800000008",
            "LT": "4000004400000000",
            "LU": "4000004420000006",
            "LV": "4000004280000005",
            "NL": "4000005280000002",
            "NO": "4000005780000007",
            "PL": "4000006160000005",
            "PT": "4000006200000007",
            "RO": "4000006420000001",
            "SE": "4000007520000008",
            "SI": "4000007050000006",
            "SK": "4000007030000001",
            "AU": "4000000360000006",
            "CN": "4000001560000002",
            "HK": "4000003440000004",
            "IN": "4000003560000008",
            "JP": "4000003920000003",
            "MY": "4000004580000002",
            "NZ": "4000005540000008",
            "SG": "4000007020000003",
            "TH": "4000007640000003",
            "TW": "4000001580000008",
        }.items()
    ),
)

# A number's first row is the one that says what it does: 4242… is the US card too.
_BY_NUMBER: Final = {card.number: card for card in reversed(CARDS)}
_BY_ALIAS: Final = {name: card for card in reversed(CARDS) for name in (card.alias, *card.aliases) if name}


def by_number(number: str) -> Card | None:
    """The test card with this number."""
    return _BY_NUMBER.get(number)


def by_alias(name: str) -> Card | None:
    """The test card that `pm_card_NAME` and `tok_NAME` stand for."""
    return _BY_ALIAS.get(name)


def of(private: dict[str, Any]) -> Card:
    """The card behind a saved or tokenised one: its number is kept where no answer shows it. A card that is no test
    card, as live mode takes them, has none and simply works."""
    return _BY_NUMBER.get(private.get("number", ""), UNKNOWN)


UNKNOWN: Final = Card("")

_BRANDS: Final = (
    (("34", "37"), "amex"),
    (("300", "301", "302", "303", "304", "305", "36", "38", "39"), "diners"),
    (("35",), "jcb"),
    (("4",), "visa"),
    (("51", "52", "53", "54", "55", "22", "23", "24", "25", "26", "27"), "mastercard"),
    (("6011", "64", "65"), "discover"),
    (("62",), "unionpay"),
)


def brand_of(number: str) -> str:
    """The brand a number's first digits show."""
    return next((brand for starts, brand in _BRANDS if number.startswith(starts)), "unknown")
