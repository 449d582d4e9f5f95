"""The balance: what the account has, and what is on its way to it, in each currency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.routes import Call, Route

if TYPE_CHECKING:
    from paydesk.emulator.kernel.kinds import Kind

SETTLEMENT_CURRENCY = "usd"


def _retrieve(call: Call) -> dict[str, Any]:
    world = call.world
    sums = world.db.execute(
        "SELECT json_extract(body, '$.status'), json_extract(body, '$.currency'), sum(json_extract(body, '$.net')) "
        "FROM objects WHERE sandbox = ? AND kind = 'balance_transaction' AND deleted = 0 GROUP BY 1, 2",
        (world.sandbox.number,),
    ).fetchall()
    amounts = {(status, currency): amount for status, currency, amount in sums}
    currencies = sorted({SETTLEMENT_CURRENCY} | {currency for _, currency in amounts})
    return {
        "object": "balance",
        "available": [_money(amounts.get(("available", currency), 0), currency) for currency in currencies],
        "livemode": world.livemode,
        "pending": [_money(amounts.get(("pending", currency), 0), currency) for currency in currencies],
        "refund_and_dispute_prefunding": {
            "available": [_money(0, SETTLEMENT_CURRENCY)],
            "pending": [_money(0, SETTLEMENT_CURRENCY)],
        },
    }


def _money(amount: int, currency: str) -> dict[str, Any]:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}


KINDS: tuple[Kind, ...] = ()
ROUTES = (Route("GET", "/v1/balance", _retrieve, area="balance"),)
TASKS: dict[str, Any] = {}
