"""Stripe's objects as the load speaks of them, and as the stand-in for Stripe shows them.

Each is made from an index and a revision alone, so two processes that never met agree about every one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]

API_VERSION = "2026-10-28.endive"
MONTH_SECONDS = 2_678_400

# A fixed moment: objects do not depend on the clock.
BEGAN = 1_760_000_000

# An app's catalog with the plan that the subscriptions are of.
CATALOG = '[plans.pro]\nname = "Pro"\nprice = "$29/mo"\nlookup_key = "plan_0_monthly"\n'


def stripe_id(prefix: str, index: int) -> str:
    return f"{prefix}_load{index:010d}"


def index_of(object_id: str) -> int:
    """42 of sub_load0000000042."""
    return int(object_id.rsplit("load", 1)[1])


def customer(index: int, revision: int = 0) -> Json:
    return {
        "id": stripe_id("cus", index),
        "object": "customer",
        "address": {
            "city": "Berlin",
            "country": "DE",
            "line1": "Hauptstr. 1",
            "line2": None,
            "postal_code": "10115",
            "state": None,
        },
        "balance": 0,
        "created": BEGAN + index,
        "currency": "usd",
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": f"user{index}@example.com",
        "invoice_prefix": f"LD{index:06d}",
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {"user_id": str(index), "rev": str(revision)},
        "name": f"User {index}",
        "next_invoice_sequence": 2,
        "phone": None,
        "preferred_locales": ["en"],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def product(index: int, revision: int = 0) -> Json:
    return {
        "id": stripe_id("prod", index),
        "object": "product",
        "active": True,
        "attributes": [],
        "created": BEGAN,
        "default_price": stripe_id("price", index),
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {"rev": str(revision)},
        "name": f"Plan {index}",
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": BEGAN,
        "url": None,
    }


def price(index: int, revision: int = 0) -> Json:
    return {
        "id": stripe_id("price", index),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": BEGAN,
        "currency": "usd",
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": f"plan_{index}_monthly",
        "metadata": {"rev": str(revision)},
        "nickname": None,
        "product": stripe_id("prod", index),
        "recurring": {
            "interval": "month",
            "interval_count": 1,
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        },
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": 2900,
        "unit_amount_decimal": "2900",
    }


def plan(index: int) -> Json:
    return {
        "id": stripe_id("price", index),
        "object": "plan",
        "active": True,
        "amount": 2900,
        "amount_decimal": "2900",
        "billing_scheme": "per_unit",
        "created": BEGAN,
        "currency": "usd",
        "interval": "month",
        "interval_count": 1,
        "livemode": False,
        "metadata": {},
        "meter": None,
        "nickname": None,
        "product": stripe_id("prod", index),
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def subscription(index: int, revision: int = 0) -> Json:
    own_id, start = stripe_id("sub", index), BEGAN + index
    item: Json = {
        "id": stripe_id("si", index),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": start,
        "current_period_end": start + MONTH_SECONDS,
        "current_period_start": start,
        "discounts": [],
        "metadata": {},
        "plan": plan(0),
        "price": price(0),
        "quantity": 1 + revision,
        "subscription": own_id,
        "tax_rates": [],
    }
    return {
        "id": own_id,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": start,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"flexible": None, "type": "classic"},
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": bool(revision % 2),
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": start,
        "currency": "usd",
        "customer": stripe_id("cus", index),
        "customer_account": None,
        "days_until_due": None,
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": _listed([item], f"/v1/subscription_items?subscription={own_id}"),
        "latest_invoice": None,
        "livemode": False,
        "metadata": {"user_id": str(index), "plan": "pro", "rev": str(revision)},
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "on_subscription",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "plan": plan(0),
        "quantity": 1 + revision,
        "schedule": None,
        "start_date": start,
        "status": "active",
        "test_clock": None,
        "transfer_data": None,
        "trial_end": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": None,
    }


def invoice(index: int, revision: int = 0) -> Json:
    own_id, subscription_id = stripe_id("in", index), stripe_id("sub", index)
    line = {
        "id": stripe_id("il", index),
        "object": "line_item",
        "amount": 2900,
        "currency": "usd",
        "description": "1 x Plan 0",
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": own_id,
        "livemode": False,
        "metadata": {},
        "parent": {
            "invoice_item_details": None,
            "type": "subscription_item_details",
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": subscription_id,
                "subscription_item": stripe_id("si", index),
            },
        },
        "period": {"end": BEGAN + index + MONTH_SECONDS, "start": BEGAN + index},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": stripe_id("price", 0), "product": stripe_id("prod", 0)},
            "type": "price_details",
            "unit_amount_decimal": "2900",
        },
        "quantity": 1,
        "taxes": [],
    }
    return {
        "id": own_id,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Acme",
        "amount_due": 2900,
        "amount_overpaid": 0,
        "amount_paid": 2900,
        "amount_remaining": 0,
        "attempt_count": 1,
        "attempted": True,
        "auto_advance": False,
        "billing_reason": "subscription_cycle",
        "collection_method": "charge_automatically",
        "created": BEGAN + index,
        "currency": "usd",
        "custom_fields": None,
        "customer": stripe_id("cus", index),
        "customer_email": f"user{index}@example.com",
        "customer_name": f"User {index}",
        "default_payment_method": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "ending_balance": 0,
        "footer": None,
        "hosted_invoice_url": f"https://invoice.stripe.com/i/{own_id}",
        "invoice_pdf": f"https://pay.stripe.com/invoice/{own_id}/pdf",
        "lines": _listed([line], f"/v1/invoices/{own_id}/lines"),
        "livemode": False,
        "metadata": {"rev": str(revision)},
        "next_payment_attempt": None,
        "number": f"LD-{index:06d}",
        "parent": {
            "quote_details": None,
            "type": "subscription_details",
            "subscription_details": {"metadata": {}, "subscription": subscription_id},
        },
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": BEGAN + index,
        "period_start": BEGAN + index - MONTH_SECONDS,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "starting_balance": 0,
        "status": "paid",
        "status_transitions": {
            "finalized_at": BEGAN + index,
            "marked_uncollectible_at": None,
            "paid_at": BEGAN + index,
            "voided_at": None,
        },
        "subtotal": 2900,
        "subtotal_excluding_tax": 2900,
        "test_clock": None,
        "total": 2900,
        "total_discount_amounts": [],
        "total_excluding_tax": 2900,
        "total_taxes": [],
    }


def payment_intent(index: int, revision: int = 0) -> Json:
    own_id = stripe_id("pi", index)
    return {
        "id": own_id,
        "object": "payment_intent",
        "amount": 2900,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 2900,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": f"{own_id}_secret_load",
        "confirmation_method": "automatic",
        "created": BEGAN + index,
        "currency": "usd",
        "customer": stripe_id("cus", index),
        "description": "Subscription update",
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {"rev": str(revision)},
        "next_action": None,
        "on_behalf_of": None,
        "payment_details": {"customer_reference": None, "order_reference": stripe_id("in", index)},
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": "off_session",
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded",
        "transfer_data": None,
        "transfer_group": None,
    }


def checkout_session(index: int, revision: int = 0) -> Json:
    return {
        "id": stripe_id("cs_test", index),
        "object": "checkout.session",
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": 2900,
        "amount_total": 2900,
        "automatic_tax": {"enabled": False, "status": None},
        "billing_address_collection": None,
        "cancel_url": "http://localhost/cancel",
        "client_reference_id": str(index),
        "consent": None,
        "created": BEGAN + index,
        "currency": "usd",
        "custom_fields": [],
        "customer": stripe_id("cus", index),
        "customer_creation": None,
        "customer_details": {
            "address": None,
            "email": f"user{index}@example.com",
            "name": f"User {index}",
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
        "customer_email": None,
        "discounts": [],
        "expires_at": BEGAN + index + 86_400,
        "invoice": None,
        "livemode": False,
        "locale": None,
        "metadata": {"order_id": str(index), "rev": str(revision)},
        "mode": "payment",
        "payment_intent": stripe_id("pi", index),
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_types": ["card"],
        "payment_status": "paid",
        "recovered_from": None,
        "setup_intent": None,
        "shipping_options": [],
        "status": "complete",
        "submit_type": None,
        "subscription": None,
        "success_url": "http://localhost/success?session_id={CHECKOUT_SESSION_ID}",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted",
        "url": None,
    }


def _listed(data: list[Json], url: str) -> Json:
    return {"object": "list", "data": data, "has_more": False, "total_count": len(data), "url": url}


# What Stripe shows below which path.
SHOWN: dict[str, Callable[[int, int], Json]] = {
    "/v1/customers": customer,
    "/v1/products": product,
    "/v1/prices": price,
    "/v1/subscriptions": subscription,
    "/v1/invoices": invoice,
    "/v1/payment_intents": payment_intent,
    "/v1/checkout/sessions": checkout_session,
}
