"""Names: what a request carries, and what of an answer can be expanded."""

from __future__ import annotations

from paydesk.emulator.kernel import contract
from paydesk.emulator.kernel.form import decode


def test_what_was_sent_is_named_without_indices() -> None:
    """The names tell which parameters had an effect; the caller's own metadata keys are not among them."""
    sent = decode(
        "mode=payment&line_items[0][price_data][currency]=usd&line_items[0][quantity]=1&line_items[1][quantity]=2"
        "&expand[]=a&expand[]=b&images[0]=x&metadata[a]=1&metadata[b]=2&payment_intent_data[metadata][a]=1"
        "&tags[][name]=x&customer="
    )

    assert contract.leaves(sent) == [
        "mode",
        "line_items.price_data.currency",
        "line_items.quantity",
        "expand",
        "images",
        "metadata",
        "payment_intent_data.metadata",
        "tags.name",
        "customer",
    ]


def test_what_can_be_expanded_names_what_it_becomes() -> None:
    """Ids that can be followed, also inside groups, with the objects they lead to."""
    customer = contract.expandable("customer")
    charge = contract.expandable("charge")

    assert customer["invoice_settings.default_payment_method"] == ("payment_method",)
    assert customer["default_source"] == ("account", "bank_account", "card", "source")
    assert charge["payment_intent"] == ("payment_intent",)
    assert charge["customer"] == ("customer",)
    assert "description" not in charge
    assert contract.expandable("checkout.session")["discounts.coupon"] == ("coupon",)
