"""How much a price asks, and how often: what callers may say of it, and what they must not.

An amount has two names, `unit_amount` and `unit_amount_decimal`: the same number, as an
integer of the currency's smallest unit and as text, which may hold a fraction of it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from paydesk.emulator.kernel.errors import exclusive, invalid, missing_param

DECIMAL_PLACES_MAX: Final = 12

# Three years, in each interval; and the word Stripe's refusal uses for it.
_INTERVALS: Final = {"day": (1095, "daily"), "week": (156, "weekly"), "month": (36, "monthly"), "year": (3, "yearly")}


class Under:
    """Names of parameters, as they stand in the request below a group."""

    def __init__(self, group: str) -> None:
        self._group = group

    def __call__(self, name: str) -> str:
        if not self._group:
            return name
        first, bracket, rest = name.partition("[")
        return f"{self._group}[{first}]{bracket}{rest}"


def recurring(given: dict[str, Any] | None, under: Under) -> dict[str, Any] | None:
    """How often a price is due; None: once."""
    if given is None:
        return None
    interval, count = given["interval"], given.get("interval_count", 1)
    longest, word = _INTERVALS[interval]
    if count < 1:
        raise invalid(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param=under("recurring[interval_count]"),
        )
    if count > longest:
        raise invalid(
            f"The interval_count for {word} prices can't be greater than {longest}",
            param=under("recurring[interval_count]"),
        )
    usage_type, meter = given.get("usage_type", "licensed"), given.get("meter")
    if usage_type == "metered" and meter is None:
        raise invalid(
            "Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.",
            param=under("recurring[usage_type]"),
        )
    if usage_type != "metered" and meter is not None:
        raise invalid(
            "Only prices with `usage_type=metered` can have a `meter`.",
            param=under("recurring[meter]"),
        )
    return {
        "interval": interval,
        "interval_count": count,
        "meter": meter,
        "trial_period_days": given.get("trial_period_days"),
        "usage_type": usage_type,
    }


def amount(given: dict[str, Any], under: Under) -> dict[str, Any]:
    """How much one unit costs: a whole number, a decimal, or what the customer likes to pay."""
    if "tiers" in given or "tiers_mode" in given:
        raise invalid("`tiers` can only be used where `billing_scheme` is `tiered`.", param=under("tiers"))
    custom = given.get("custom_unit_amount")
    said = [name for name in ("unit_amount", "unit_amount_decimal") if given.get(name) is not None]
    if custom is not None and custom["enabled"]:
        if said:
            raise exclusive("custom_unit_amount", *said)
        return {"unit_amount": None, "unit_amount_decimal": None, "custom_unit_amount": _custom(custom, under)}
    if not said:
        raise invalid("Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.")
    return {**_whole_and_decimal(given, "unit_amount", under), "custom_unit_amount": None}


def _custom(given: dict[str, Any], under: Under) -> dict[str, Any]:
    custom: dict[str, Any] = {name: given.get(name) for name in ("maximum", "minimum", "preset")}
    known: list[int] = [custom[name] for name in ("minimum", "preset", "maximum") if custom[name] is not None]
    if any(least < 0 for least in known) or known != sorted(known):
        raise invalid(
            "`custom_unit_amount` needs amounts of 0 or more, with minimum <= preset <= maximum.",
            param=under("custom_unit_amount"),
        )
    return custom


def _whole_and_decimal(given: dict[str, Any], name: str, under: Under) -> dict[str, Any]:
    """An amount under both of its names: a fraction of the smallest unit is only in the decimal one."""
    whole: int | None = given.get(name)
    written: str | None = given.get(f"{name}_decimal")
    if whole is not None and written is not None:
        raise exclusive(under(name), under(f"{name}_decimal"))
    if whole is None and written is None:
        return {name: None, f"{name}_decimal": None}
    exact = Decimal(written if written is not None else whole or 0)
    if exact < 0:
        sent = name if written is None else f"{name}_decimal"
        raise invalid("Invalid non-negative integer", code="parameter_invalid_integer", param=under(sent))
    text = f"{exact:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if len(text.partition(".")[2]) > DECIMAL_PLACES_MAX:
        raise invalid(
            f"Invalid decimal: {written}; must have at most {DECIMAL_PLACES_MAX} decimal places",
            param=under(f"{name}_decimal"),
        )
    return {name: None if "." in text else int(text), f"{name}_decimal": text}


def tiers(given: dict[str, Any], under: Under) -> list[dict[str, Any]]:
    """What units cost in each band of a quantity; the last band has no end."""
    for name in ("tiers", "tiers_mode"):
        if not given.get(name):
            raise missing_param(under(name))
    if any(given.get(name) is not None for name in ("unit_amount", "unit_amount_decimal", "custom_unit_amount")):
        raise invalid("`unit_amount` cannot be used where `billing_scheme` is `tiered`.", param=under("unit_amount"))
    found = []
    bound = 0
    for index, tier in enumerate(given["tiers"]):
        at = Under(under(f"tiers[{index}]"))
        is_last = index == len(given["tiers"]) - 1
        up_to = None if tier["up_to"] == "inf" else int(tier["up_to"])
        if is_last != (up_to is None):
            raise invalid("The last tier, and only the last one, must have `up_to` set to `inf`.", param=at("up_to"))
        if up_to is not None and up_to <= bound:
            raise invalid("Each tier must reach further than the one before it.", param=at("up_to"))
        bound = up_to or bound
        amounts = _whole_and_decimal(tier, "unit_amount", at) | _whole_and_decimal(tier, "flat_amount", at)
        if all(value is None for value in amounts.values()):
            raise invalid("A tier needs an `unit_amount` or a `flat_amount`.", param=under(f"tiers[{index}]"))
        found.append({name: amounts[name] for name in sorted(amounts)} | {"up_to": up_to})
    return found


def option(given: dict[str, Any], under: Under, *, is_tiered: bool) -> dict[str, Any]:
    """A price's amount in a further currency."""
    shown: dict[str, Any] = {"custom_unit_amount": None, "tax_behavior": given.get("tax_behavior", "unspecified")}
    if is_tiered:
        return shown | {
            "tiers": tiers({**given, "tiers_mode": "the price's own"}, under),
            "unit_amount": None,
            "unit_amount_decimal": None,
        }
    return shown | amount(given, under)
