"""Servers under test, each in a process of its own, with the processor time it used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
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
        """Processor time used so far, with that of the processes it started."""
        return cpu_seconds(self.pid)

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


def cpu_seconds(root: int) -> float:
    """Processor time of a process and of all it started: those that live, and those it has waited for."""
    used: dict[int, int] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):  # it has ended meanwhile
                fields = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
                used[int(entry.name)] = sum(map(int, fields[11:15]))
                children[int(fields[1])].append(int(entry.name))
    total, left = 0, [root]
    while left:
        pid = left.pop()
        total += used.get(pid, 0)
        left += children[pid]
    return total / _TICKS


@contextmanager
def running(
    *command: str, python: str = sys.executable, env: Mapping[str, str] | None = None, is_logging: bool = True
) -> Iterator[Server]:
    """`python -m COMMAND…`, until the block ends. Its first line of output says that it runs, and at which URL."""
    # Where a machine forbids Python to keep what it compiled, every start would be a first one.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(
        [python, "-m", *command],
        stdout=subprocess.PIPE,
        stderr=None if is_logging else subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env={**environment, **(env or {})},
    )
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        _, scheme, rest = first.partition("http://")
        yield Server(scheme + rest.split()[0] if rest else "", process.pid)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
