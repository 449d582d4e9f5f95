"""Income: what subscriptions bring in a month, and how many of them end, as plots and as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from babel.dates import format_date

from paydesk.billing.money import show
from paydesk.billing.web.admin.plots import Bar, Plot, draw
from paydesk.billing.web.admin.room import Asking, Shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from paydesk.billing.operations.income import Month


def income(asking: Asking) -> Shown:
    """The last twelve months."""
    months = asking.desk.operations.income.months()
    currencies = sorted({currency for month in months for currency in month.revenue_minor})
    values = {
        "months": [(named(month), month, percent(month.churn)) for month in reversed(months)],
        "currencies": currencies,
        "revenues": [_revenue(months, currency) for currency in currencies],
        "churn": _churn(months),
        "latest": months[-1],
    }
    return Shown("income.html", values)


def named(month: Month) -> str:
    return format_date(month.begins_at, "MMM yyyy", locale="en")


def percent(share: Fraction | None) -> str:
    """A share of one, to a tenth of a percent."""
    return "–" if share is None else f"{float(share * 100):.1f} %"


def _revenue(months: Sequence[Month], currency: str) -> Plot:
    amounts = [month.revenue_minor.get(currency, 0) for month in months]
    bars = [
        Bar(_short(month), amount, f"{named(month)}: {show(amount, currency)}", month.is_under_way)
        for month, amount in zip(months, amounts, strict=True)
    ]
    title = f"Monthly recurring revenue in {currency.upper()}: {show(amounts[-1], currency)} now"
    return draw(title, bars, top_shown=show(max(amounts), currency))


def _churn(months: Sequence[Month]) -> Plot:
    bars = [
        Bar(
            _short(month),
            None if month.churn is None else float(month.churn),
            f"{named(month)}: {percent(month.churn)}",
            month.is_under_way,
        )
        for month in months
    ]
    highest = max((month.churn for month in months if month.churn is not None), default=None)
    return draw("Churn: the share of subscriptions that ended in each month", bars, top_shown=percent(highest))


def _short(month: Month) -> str:
    return format_date(month.begins_at, "MMM", locale="en")
