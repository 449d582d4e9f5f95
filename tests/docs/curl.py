"""The curl commands in the documents, sent without curl."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from tests.emulator.wire import Reply, Wire

ADDRESS = "http://127.0.0.1:12111"


def sent_as_curl_sends(wire: Wire, command: str) -> Reply:
    """`curl URL` asks, `curl URL -d NAME=VALUE …` posts a form, `-X` says how else."""
    words = shlex.split(command)
    (url,) = [word for word in words if word.startswith(ADDRESS)]
    fields = [words[at + 1].split("=", 1) for at, word in enumerate(words) if word == "-d"]
    path = urlsplit(url).path
    if "-X" in words:
        return wire.send(words[words.index("-X") + 1], path)
    return wire.post(path, urlencode([(name, value) for name, value in fields])) if fields else wire.get(path)
