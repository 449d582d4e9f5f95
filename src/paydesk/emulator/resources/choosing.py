"""Choosing: which payment method an intent is to be carried out with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import exclusive
from paydesk.emulator.kernel.routes import words
from paydesk.emulator.resources import payment_method
from paydesk.emulator.rules import intents

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

# The parameters by which a request chooses.
PARAMS: Final = words(
    "payment_method payment_method_data.type payment_method_data.card.number payment_method_data.card.exp_month "
    "payment_method_data.card.exp_year payment_method_data.card.cvc payment_method_data.card.token "
    "payment_method_data.us_bank_account.account_number payment_method_data.us_bank_account.routing_number "
    "payment_method_data.us_bank_account.account_type payment_method_data.us_bank_account.account_holder_type "
    "payment_method_data.sepa_debit.iban payment_method_data.billing_details payment_method_data.metadata "
    "payment_method_data.allow_redisplay payment_method_options.card.request_three_d_secure"
)


def choose(world: World, intent: Document, given: dict[str, Any]) -> None:
    """Take the payment method a request names or types, if it does either.

    Raises:
        StripeError: 400 where it is somebody else's, used up, or of a type the intent does not take.
    """
    typed, named = given.get("payment_method_data"), given.get("payment_method")
    if typed is not None and named is not None:
        raise exclusive("payment_method", "payment_method_data")
    if typed is not None:
        method = payment_method.new(world, typed, param="payment_method_data")
    elif named is not None:
        method = payment_method.named(world, named)
    else:
        return
    check(intent, method)
    intent["payment_method"] = method.id
    intent["next_action"] = None
    intent["status"] = "requires_confirmation"


def check(intent: Document, method: Document) -> None:
    """Refuse what the intent cannot be carried out with."""
    intents.check_ownership(intent, method)
    intents.check_type(intent, method)
    payment_method.check_unspent(method)


def request_three_d_secure(intent: Document, given: dict[str, Any]) -> None:
    """Note that the bank is to be asked, where a request says so."""
    asked = ((given.get("payment_method_options") or {}).get("card") or {}).get("request_three_d_secure")
    if asked is not None:
        intent["payment_method_options"]["card"]["request_three_d_secure"] = asked
