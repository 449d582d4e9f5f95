"""A bank account as somebody typed it: which test account it is, and what a payment method shows of it."""

from __future__ import annotations

from typing import Any, Final

from paydesk.emulator.kernel.errors import invalid, missing_param
from paydesk.emulator.rules import bank_debits
from paydesk.emulator.rules.bank_debits import BankAccount

TYPES: Final = ("us_bank_account", "sepa_debit")
_SEPA_BANK_CODE: Final = slice(4, 12)


def read(type_: str, given: dict[str, Any], *, param: str) -> BankAccount:
    """The test account that was typed. Raises 400 for what is missing or is no test account."""
    name = "iban" if type_ == "sepa_debit" else "account_number"
    number = given.get(name)
    if number is None:
        raise missing_param(f"{param}[{name}]")
    if type_ == "us_bank_account":
        if given.get("routing_number") is None:
            raise missing_param(f"{param}[routing_number]")
        if given["routing_number"] != bank_debits.ROUTING_NUMBER:
            raise invalid(
                "You must use a test bank account number in test mode: its routing number is "
                f"{bank_debits.ROUTING_NUMBER}.",
                param=f"{param}[routing_number]",
            )
    account = bank_debits.by_number(str(number).replace(" ", "").upper())
    if account is None or account.type != type_:
        raise invalid(
            "You must use a test bank account number in test mode: see https://stripe.com/docs/testing.",
            param=f"{param}[{name}]",
        )
    return account


def shown(account: BankAccount, given: dict[str, Any], fingerprint: str) -> dict[str, Any]:
    """The hash under the payment method's type."""
    if account.type == "sepa_debit":
        return {
            "bank_code": account.number[_SEPA_BANK_CODE],
            "branch_code": "",
            "country": account.number[:2],
            "fingerprint": fingerprint,
            "generated_from": {"charge": None, "setup_attempt": None},
            "last4": account.last4,
        }
    return {
        "account_holder_type": given.get("account_holder_type") or "individual",
        "account_type": given.get("account_type") or "checking",
        "bank_name": "LOCAL TEST BANK",
        "financial_connections_account": None,
        "fingerprint": fingerprint,
        "last4": account.last4,
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": bank_debits.ROUTING_NUMBER,
        "status_details": {},
    }
