"""Hosts for the tests: machines of their own, as far as this one allows.

As root, each is a network namespace with a cable to a switch that only this machine sees: pulling it leaves whoever
talks to the host without an answer, as a machine that loses power does. Otherwise each is an address of loopback: its
processes are stopped, or killed, which their peers are told at once.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.postgres import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass
class Host:
    """One machine: an address, and what runs on it."""

    address: str
    namespace: str | None = None
    cable: str | None = None
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, command: Sequence[object], *, user: str | None, log: Path) -> subprocess.Popen[bytes]:
        """Run it here, as this user, until the host loses power or its parent dies."""
        with log.open("ab") as out:
            process = subprocess.Popen(
                [*self._way_in(user), *(str(part) for part in command)],
                user=None if self.namespace else user,
                stdout=out,
                stderr=out,
                preexec_fn=die_with_parent,
                cwd="/",
            )
        self.processes.append(process)
        return process

    def cut_off(self) -> None:
        """Nobody reaches it, and it reaches nobody, until it is connected again."""
        if self.cable:
            _ip("link", "set", self.cable, "down")
        else:
            self._signal_children(signal.SIGSTOP)

    def connect(self) -> None:
        if self.cable:
            _ip("link", "set", self.cable, "up")
        else:
            self._signal_children(signal.SIGCONT)

    def _signal_children(self, number: signal.Signals) -> None:
        for process in self.processes:
            for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split():
                os.kill(int(child), number)

    def lose_power(self) -> None:
        """Everything on it is gone, and nobody is told."""
        if self.cable:
            _ip("link", "set", self.cable, "down")
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=30)

    def _way_in(self, user: str | None) -> list[str]:
        if not self.namespace:
            return []
        # Who becomes somebody else forgets that it is to die with its parent, and is told again.
        entry = pwd.getpwnam(user) if user else pwd.getpwuid(os.geteuid())
        become = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--pdeathsig=QUIT"]
        return ["nsenter", f"--net=/run/netns/{self.namespace}", *become]


@contextlib.contextmanager
def hosts(number: int) -> Iterator[list[Host]]:
    """So many hosts, for as long as the block runs."""
    with contextlib.ExitStack() as undo:
        made = _namespaces(number, undo) if _may_make_namespaces() else None
        try:
            yield made or [Host(f"127.0.0.{2 + index}") for index in range(number)]
        finally:
            for host in made or []:
                host.lose_power()


def _namespaces(number: int, undo: contextlib.ExitStack) -> list[Host]:
    tag = secrets.token_hex(3)
    net = f"10.{200 + secrets.randbelow(50)}.{secrets.randbelow(250)}"
    switch = f"pds{tag}"
    _ip("link", "add", switch, "type", "bridge")
    undo.callback(_ip, "link", "del", switch)
    _ip("addr", "add", f"{net}.1/24", "dev", switch)
    _ip("link", "set", switch, "up")
    made = []
    for index in range(number):
        host = Host(f"{net}.{index + 2}", f"pd{tag}{index}", f"pdc{tag}{index}")
        _ip("netns", "add", host.namespace)
        undo.callback(_ip, "netns", "del", host.namespace)
        _ip("link", "add", host.cable, "type", "veth", "peer", "name", "eth0", "netns", host.namespace)
        undo.callback(_ip, "link", "del", host.cable)
        _ip("link", "set", host.cable, "master", switch, "up")
        _ip("-n", host.namespace, "addr", "add", f"{host.address}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            _ip("-n", host.namespace, "link", "set", device, "up")
        made.append(host)
    return made


def _may_make_namespaces() -> bool:
    if os.geteuid() != 0 or not all(shutil.which(program) for program in ("ip", "nsenter", "setpriv")):
        return False
    probe = f"pdp{secrets.token_hex(3)}"
    can = _works("netns", "add", probe) and _works("link", "add", probe, "type", "bridge")
    for kind in ("netns", "link"):
        _works(kind, "del", probe)
    return can


def _works(*arguments: str) -> bool:
    return subprocess.run(["ip", *arguments], capture_output=True, check=False).returncode == 0


def _ip(*arguments: str | None) -> None:
    subprocess.run(["ip", *(part for part in arguments if part)], check=True, capture_output=True)
