"""Deep links into the portal: one thing a customer is sent there to do, and where they go when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import invalid, missing_param
from paydesk.emulator.rules.addresses import check_url

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document

# What each flow is about, and which feature must be switched on for it, as Stripe's refusal names them.
_NEEDS: Final[Mapping[str, tuple[str, str]]] = {
    "customer_update": ("customer_update", "This customer cannot be updated because the customer update"),
    "payment_method_update": (
        "payment_method_update",
        "This payment method cannot be updated because the payment method update",
    ),
}
_DETAILS: Final = ("subscription_cancel", "subscription_pause", "subscription_update", "subscription_update_confirm")
_ENDINGS: Final = ("hosted_confirmation", "redirect")


def flow(given: Mapping[str, Any], configuration: Document) -> dict[str, Any]:
    """A session's `flow`, from the `flow_data` of its request.

    Raises:
        StripeError: 400 for a flow that the configuration does not allow, or that says too much or too little.
    """
    kind = given["type"]
    if kind not in _NEEDS:
        raise invalid(
            f"The local Stripe does not model the flow `{kind}` yet; it would go into "
            "emulator/resources/billing_portal_flow.py.",
            param="flow_data[type]",
        )
    feature, sentence = _NEEDS[kind]
    if not configuration["features"][feature]["enabled"]:
        raise invalid(f"{sentence} feature in the portal configuration is disabled.", param="flow_data[type]")
    for name in _DETAILS:
        if name in given and name != kind:
            raise invalid(f"`{name}` can only be used with `type={name}`.", param=f"flow_data[{name}]")
    return {
        "after_completion": _after_completion(given.get("after_completion") or {"type": "portal_homepage"}),
        "customer_update": {} if kind == "customer_update" else None,
        "subscription_cancel": None,
        "subscription_pause": None,
        "subscription_update": None,
        "subscription_update_confirm": None,
        "type": kind,
    }


def _after_completion(given: Mapping[str, Any]) -> dict[str, Any]:
    kind = given["type"]
    where = "flow_data[after_completion]"
    for name in _ENDINGS:
        if name in given and name != kind:
            raise invalid(f"`{name}` can only be used with `type={name}`.", param=f"{where}[{name}]")
    redirect = given.get("redirect")
    if kind == "redirect" and redirect is None:
        raise missing_param(f"{where}[redirect]")
    if redirect is not None:
        check_url(redirect["return_url"], param=f"{where}[redirect][return_url]")
    confirmation = given.get("hosted_confirmation") or {}
    return {
        "hosted_confirmation": {"custom_message": confirmation.get("custom_message")}
        if kind == "hosted_confirmation"
        else None,
        "redirect": None if redirect is None else {"return_url": redirect["return_url"]},
        "type": kind,
    }
