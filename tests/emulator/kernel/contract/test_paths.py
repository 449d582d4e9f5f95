"""Paths: every URL that Stripe's own SDK can call is known, with the type of its parameters."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

from paydesk.emulator.kernel import contract


def urls_by_parsing() -> set[tuple[str, str, str | None]]:
    """What the services' methods call, found by parsing them: slower than the scan in use, and surer."""
    found = set()
    origin = find_spec("stripe")
    assert origin is not None
    assert origin.origin is not None
    for file in Path(origin.origin).parent.rglob("*_service.py"):
        for method in ast.walk(ast.parse(file.read_text())):
            if isinstance(method, ast.FunctionDef):
                found |= {(verb, url, params_of(method)) for verb, url in calls_in(method)}
    return found


def calls_in(method: ast.FunctionDef) -> list[tuple[str, str]]:
    calls = []
    for node in ast.walk(method):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="_request" | "_request_stream"), args=[ast.Constant(value=verb), url, *_]
            ):
                template = url.func.value if isinstance(url, ast.Call) and isinstance(url.func, ast.Attribute) else url
                if isinstance(template, ast.Constant) and str(template.value).startswith("/v1/"):
                    calls.append((str(verb).upper(), str(template.value)))
    return calls


def params_of(method: ast.FunctionDef) -> str | None:
    for argument in method.args.args:
        if argument.arg == "params" and argument.annotation is not None:
            names = [node.value for node in ast.walk(argument.annotation) if isinstance(node, ast.Constant)]
            return str(names[0])
    return None


def test_every_url_the_sdk_can_call_is_known() -> None:
    """No URL of the installed SDK is missed, and each is typed by the class the SDK types it with."""
    known = {(path.method, path.template, path.params) for path in contract.known_paths()}

    parsed = urls_by_parsing()

    assert {(verb, url) for verb, url, _ in known} == {(verb, url) for verb, url, _ in parsed}
    assert known <= parsed
    assert ("POST", "/v1/checkout/sessions", "SessionCreateParams") in known
    assert ("GET", "/v1/balance", "BalanceRetrieveParams") in known
    assert ("DELETE", "/v1/customers/{customer}", "CustomerDeleteParams") in known
    assert len(known) > 500


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/v1/customers", ("/v1/customers", {})),
        ("get", "/v1/customers/cus_1", ("/v1/customers/{customer}", {"customer": "cus_1"})),
        ("GET", "/v1/customers/search", ("/v1/customers/search", {})),
        ("GET", "/v1/payment_intents/search", ("/v1/payment_intents/search", {})),
        ("POST", "/v1/payment_intents/pi_1/confirm", ("/v1/payment_intents/{intent}/confirm", {"intent": "pi_1"})),
        ("POST", "/v1/test_helpers/test_clocks", ("/v1/test_helpers/test_clocks", {})),
        (
            "DELETE",
            "/v1/customers/cus_1/tax_ids/txi_1",
            ("/v1/customers/{customer}/tax_ids/{id}", {"customer": "cus_1", "id": "txi_1"}),
        ),
        ("GET", "/v1/customers/", None),
        ("GET", "/v1/nothing", None),
        ("DELETE", "/v1/refunds/re_1", None),
        ("GET", "/v1/customers/cus_1/nothing/at/all", None),
        ("GET", "/", None),
    ],
)
def test_a_request_is_recognised_as_the_url_it_means(
    method: str, path: str, found: tuple[str, dict[str, str]] | None
) -> None:
    """A URL Stripe has is told from one it does not have, with the ids that stand in it."""
    assert contract.match(method, path) == found
