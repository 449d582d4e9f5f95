"""Servers under test, each in a process of its own, with the processor time it used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """A running server: where it listens, and which process it is."""

    url: str
    pid: int

    def ask(self, path: str, headers: dict[str, str], body: bytes | None = None) -> Any:
        """What it answers to one request, a POST where there is a body, in JSON.

        Raises:
            RuntimeError: The answer was not a 200; its status and body are in the message.
        """
        connection = HTTPConnection(urlsplit(self.url).netloc)
        try:
            connection.request("GET" if body is None else "POST", path, body, headers)
            with connection.getresponse() as answer:
                told = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{path} was answered with {answer.status}: {told.decode(errors='replace')}")
        return json.loads(told)

    def cpu_seconds(self) -> float:
        """Processor time used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_mb(self) -> float:
        """Memory that is really there: the resident set."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def peak_memory_mb(self) -> float:
        """The most memory there ever was."""
        (line,) = (
            line
            for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
            if line.startswith("VmHWM:")
        )
        return int(line.split()[1]) * 1024 / 1e6


@contextmanager
def running(*command: str) -> Iterator[Server]:
    """`python -m COMMAND…`, until the block ends. Its first line of output must hold its URL."""
    # Where a machine forbids Python to keep what it compiled, every start would be a first one.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    )
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        yield Server("http://" + first.partition("http://")[2].split()[0], process.pid)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
