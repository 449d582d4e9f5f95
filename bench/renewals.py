"""A year of subscriptions on one pushed clock: how long it takes, what it needs, and whether many cost more each."""

from __future__ import annotations

import http.client
import json
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode, urlsplit

from bench.servers import Server, running

FEW, MANY = 1_000, 10_000
MONTH, YEAR = 31 * 24 * 3600, 366 * 24 * 3600
# A renewal rests for an hour before it is paid.
REST = 2 * 3600
CONNECTIONS = 8
CARD = {"payment_method": "pm_card_visa", "invoice_settings[default_payment_method]": "pm_card_visa"}


def main() -> None:
    """Print the year of a thousand, and a month of each number."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running("paydesk", "stripe", "--port", "0", "--data", folder) as server,
    ):
        _subscribe(server, FEW)
        seconds, cpu = _advance(server, FEW, YEAR)
        renewals = _count(server, FEW)
        print(f"\n{FEW:,} monthly subscriptions through a year: {renewals:,} renewals, paid and told")
        print(f"{seconds:8.1f} s ({cpu:.1f} s of processor), {cpu / renewals * 1000:.2f} ms a renewal")
        print(f"{server.peak_memory_mb():8.0f} MB at most")
    costs = {}
    for number in (FEW, MANY):
        with (
            tempfile.TemporaryDirectory() as folder,
            running("paydesk", "stripe", "--port", "0", "--data", folder) as server,
        ):
            _subscribe(server, number)
            _, cpu = _advance(server, number, MONTH)
            costs[number] = cpu / _count(server, number) * 1000
            print(f"{number:8,} subscriptions through a month: {costs[number]:.2f} ms of processor a renewal")
    print(f"{costs[MANY] / costs[FEW]:8.2f} times the cost at ten times the number (goal: at most 1.3)")


def _subscribe(server: Server, number: int) -> None:
    """That many customers, each with a subscription of their own, in a sandbox of theirs."""
    price = _ask(
        server,
        number,
        "/v1/prices",
        {"currency": "usd", "unit_amount": 2500, "recurring[interval]": "month", "product_data[name]": "Pro"},
    )["id"]

    def one(_: int) -> None:
        customer = _ask(server, number, "/v1/customers", CARD)["id"]
        _ask(server, number, "/v1/subscriptions", {"customer": customer, "items[0][price]": price})

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(one, range(number)))


def _advance(server: Server, number: int, seconds: int) -> tuple[float, float]:
    """Push the clock: how long that took, and how much processor time."""
    before, began = server.cpu_seconds(), time.perf_counter()
    _ask(server, number, "/_local/clock/advance", {"seconds": seconds + REST}, as_json=True)
    return time.perf_counter() - began, server.cpu_seconds() - before


def _count(server: Server, number: int) -> int:
    """How many renewals there were: all invoices but the first ones, none of them unpaid."""
    paid = _ask(server, number, "/v1/invoices/search?query=status%3A%22paid%22&limit=1&expand[]=total_count")
    return int(paid["total_count"]) - number


def _ask(
    server: Server, number: int, path: str, fields: Mapping[str, Any] | None = None, *, as_json: bool = False
) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer sk_test_{number}"}
    body = None
    if fields is not None:
        headers["Content-Type"] = "application/json" if as_json else "application/x-www-form-urlencoded"
        body = json.dumps(fields) if as_json else urlencode(fields)
    connection = http.client.HTTPConnection(str(urlsplit(server.url).netloc), timeout=3600)
    try:
        connection.request("GET" if fields is None else "POST", path, body, headers)
        answer = connection.getresponse()
        told: dict[str, Any] = json.loads(answer.read())
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise RuntimeError(f"{path}: {told}")
    return told
