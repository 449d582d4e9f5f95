"""docs/adding/a-stripe-object.md: its object works as it stands there."""

from __future__ import annotations

import json
import types
from typing import Any, cast

from paydesk.emulator.kernel.kernel import Kernel, Resource
from paydesk.emulator.kernel.messages import Request
from paydesk.emulator.kernel.store import Store
from tests.docs.blocks import blocks


def test_the_smallest_object_of_the_page_answers_as_stripe_does() -> None:
    """Whoever copies the file gets create, read, list and delete, with Stripe's refusals."""
    (code,) = blocks("docs/adding/a-stripe-object.md", "python")
    module = types.ModuleType("apple_pay_domain")
    exec(compile(code, "apple_pay_domain.py", "exec"), module.__dict__)  # noqa: S102 - our own page
    kernel = Kernel(Store(None), [cast("Resource", module)])

    def ask(method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, Any]]:
        answered = kernel.answer(Request(method, path, "", {"authorization": "Bearer sk_test_docs"}, body))
        return answered.status, json.loads(answered.body)

    status, made = ask("POST", "/v1/apple_pay/domains", b"domain_name=example.com")
    url = f"/v1/apple_pay/domains/{made['id']}"

    assert (status, made["domain_name"]) == (200, "example.com")
    assert ask("GET", url) == (200, made)
    assert ask("GET", "/v1/apple_pay/domains")[1]["data"] == [made]
    assert ask("DELETE", url) == (200, {"id": made["id"], "object": "apple_pay_domain", "deleted": True})
    assert ask("GET", url)[0] == 404
    status, refusal = ask("POST", "/v1/apple_pay/domains")
    assert (status, refusal["error"]["message"]) == (400, "Missing required param: domain_name.")
    kernel.store.close()
