"""docs/faults.md: its commands do what they say, and it names every fault there is."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from paydesk.emulator.control.faults import read
from paydesk.emulator.faults import FAULTS
from tests.conftest import ROOT, LocalStripe
from tests.docs.blocks import blocks
from tests.docs.curl import sent_as_curl_sends
from tests.emulator.wire import Reply, Wire

PAGE = "docs/faults.md"


def commands(program: str) -> list[str]:
    lines = [line.strip() for block in blocks(PAGE, "sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith(program)]


def test_the_curl_commands_do_what_the_page_says(local_stripe: LocalStripe, key: str) -> None:
    """Pasted one after the other, in a sandbox where the first fault has whatever id it has."""
    wire = Wire(local_stripe.url, key)
    replies: list[Reply] = []
    for command in commands("curl "):
        first = json.loads(replies[0].body)["id"] if replies else ""
        replies.append(sent_as_curl_sends(wire, re.sub(r"fault_1\b", first, command)))

    answers: list[dict[str, Any]] = [json.loads(reply.body) for reply in replies]
    assert [reply.status for reply in replies] == [200] * len(replies)
    armed, listed, without_one, emptied = answers[:4], answers[4], answers[5], answers[6]
    assert [one["fault"] for one in armed] == ["drop", "duplicate", "timeout_after", "slow"]
    assert listed["faults"] == armed
    assert without_one["faults"] == armed[1:]
    assert emptied["faults"] == []
    assert answers[7]["secret"].startswith("whsec_")


def test_the_weather_can_be_ordered_as_the_page_says() -> None:
    """The options of `paydesk stripe`, read as the command reads them."""
    (command,) = commands("paydesk ")
    words = shlex.split(command)

    orders = [read(words[at + 1]) for at, word in enumerate(words) if word == "--fault"]

    assert [(order.fault.name, order.rate) for order in orders] == [
        ("duplicate", 0.1),
        ("reorder", 0.1),
        ("drop", 0.05),
        ("error", 0.02),
    ]


def test_the_page_names_every_fault() -> None:
    """A fault that is added is told of."""
    text = (ROOT / PAGE).read_text()

    assert [fault.name for fault in FAULTS if f"| `{fault.name}` |" not in text] == []
