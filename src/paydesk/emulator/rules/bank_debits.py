"""Bank debits: accounts that pay, or do not, some time after they said they would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from paydesk.emulator.rules.declines import Decline

# The local banks are quick, so that nobody waits; those that are slow on purpose take a little over three minutes.
SOON_SECONDS: Final = 1
SLOW_SECONDS: Final = 200


def _refusal(code: str, message: str, bank_code: str | None = None) -> Decline:
    return Decline(code, message, code, bank_code=bank_code, advice=None)


_CLOSED: Final = _refusal("account_closed", "The customer's bank account has been closed.", "R02")
_NO_ACCOUNT: Final = _refusal("no_account", "The customer's bank account could not be located.", "R03")
_NO_FUNDS: Final = _refusal(
    "insufficient_funds", "The customer's account has insufficient funds to cover this payment.", "R01"
)
_NOT_AUTHORIZED: Final = _refusal(
    "debit_not_authorized", "The customer has notified their bank that this payment was unauthorized.", "R10"
)
_FAILED: Final = _refusal("payment_intent_payment_attempt_failed", "The payment failed.")


@dataclass(frozen=True)
class BankAccount:
    """A test account: its number (an IBAN for SEPA), the magic id after `pm_`, and what comes of a debit.

    `after` is in seconds; None is never.
    """

    number: str
    alias: str
    type: str
    refusal: Decline | None = None
    after: int | None = SOON_SECONDS
    is_disputed: bool = False

    @property
    def last4(self) -> str:
        return self.number[-4:]


def _us(number: str, name: str, refusal: Decline | None = None, after: int | None = SOON_SECONDS) -> BankAccount:
    return BankAccount(number, f"usBankAccount_{name}", "us_bank_account", refusal, after, name == "dispute")


def _sepa(iban: str, name: str, refusal: Decline | None = None, after: int = SOON_SECONDS) -> BankAccount:
    return BankAccount(iban, f"sepaDebit_{name}", "sepa_debit", refusal, after, name.startswith("disputed"))


ROUTING_NUMBER: Final = "110000000"

ACCOUNTS: Final = (
    _us("000123456789", "success"),
    _us("000111111113", "accountClosed", _CLOSED),
    _us("000111111116", "noAccount", _NO_ACCOUNT),
    _us("000222222227", "insufficientFunds", _NO_FUNDS),
    _us("000333333335", "debitNotAuthorized", _NOT_AUTHORIZED),
    _us("000555555559", "dispute"),
    _us("000000000009", "processing", after=None),
    _us("000000004954", "riskLevelHighest"),
    _sepa("DE89370400440532013000", "success_de"),
    _sepa("DE08370400440532013003", "successDelayed_de", after=SLOW_SECONDS),
    _sepa("DE62370400440532013001", "failed_de", _FAILED),
    _sepa("DE78370400440532013004", "failedDelayed_de", _FAILED, SLOW_SECONDS),
    _sepa("DE35370400440532013002", "disputed_de"),
)

_BY_NUMBER: Final = {account.number: account for account in ACCOUNTS}
_BY_ALIAS: Final = {account.alias: account for account in ACCOUNTS}


def by_number(number: str) -> BankAccount | None:
    """The test account with this number or IBAN."""
    return _BY_NUMBER.get(number)


def by_alias(name: str) -> BankAccount | None:
    """The test account that `pm_NAME` stands for."""
    return _BY_ALIAS.get(name)
