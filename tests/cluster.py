"""A replicated PostgreSQL: a primary, and standbys of which one at least has every commit before it is answered."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from tests.hosts import Host, hosts
from tests.postgres import PREFIX, free_port, programs, run_to_end, user_for_server
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

# A peer that lost power is given up after seconds here, not after half a minute.
IMPATIENT = "connect_timeout=2&keepalives_idle=1&keepalives_interval=1&keepalives_count=2&tcp_user_timeout=2000"
DATABASE = "app"


class Node:
    """One server on a host of its own."""

    def __init__(self, host: Host, port: int, home: Path, binaries: Path, user: str | None) -> None:
        self.host = host
        self.port = port
        self.data = home / "data"
        self._log = home / "log"
        self._binaries = binaries
        self._user = user
        home.mkdir(mode=0o755)
        self.data.mkdir(mode=0o700)
        if user:
            shutil.chown(self.data, user)

    def found(self) -> None:
        """A new, empty server, to which standbys may connect."""
        options = ["-U", "paydesk", "--auth=trust", "--no-sync", "-E", "UTF8"]
        self._run("initdb", "-D", self.data, *options)
        with (self.data / "pg_hba.conf").open("a", encoding="utf-8") as rules:
            rules.write("host all all 0.0.0.0/0 trust\nhost replication all 0.0.0.0/0 trust\n")

    def follow(self, primary: Node, name: str) -> None:
        """Begin as a copy of the primary, and go on following it."""
        source = f"host={primary.host.address} port={primary.port} user=paydesk application_name={name}"
        self._run("pg_basebackup", "-D", self.data, "-d", source, "-R", "-c", "fast", "--no-sync")

    def start(self) -> None:
        address = ["listen_addresses=" + self.host.address, "unix_socket_directories=", "max_connections=60"]
        cheap = ["fsync=off", "full_page_writes=off", "shared_buffers=16MB"]
        options = [part for each in (*address, *cheap) for part in ("-c", each)]
        command = [self._binaries / "postgres", "-D", self.data, "-p", self.port, *options]
        self.host.start(command, user=self._user, log=self._log)
        until(self.answers, f"PostgreSQL at {self.host.address}")

    def promote(self) -> None:
        """From now on this one takes writes. It waits for nobody: whoever runs it adds standbys again."""
        self.ask("SELECT pg_promote(true, 30)")

    def answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            self.ask("SELECT 1", database="postgres")
            return True
        return False

    def ask(self, question: str, *, database: str = "postgres") -> object:
        address = f"host={self.host.address} port={self.port} user=paydesk dbname={database} connect_timeout=2"
        with psycopg.connect(address, autocommit=True) as connection:
            answer = connection.execute(question.encode())
            row = answer.fetchone() if answer.description else None
            return row[0] if row else None

    def _run(self, program: str, *arguments: object) -> None:
        run_to_end([self._binaries / program, *(str(part) for part in arguments)], self._user)


class Cluster:
    """Three servers of one database. What was answered is on two of them."""

    def __init__(self, nodes: list[Node]) -> None:
        self.primary, *self.standbys = nodes
        self._nodes = nodes

    @property
    def url(self) -> str:
        """As an app is told of all of them; it finds the one that takes writes by itself."""
        places = ",".join(f"{node.host.address}:{node.port}" for node in self._nodes)
        return f"postgresql://paydesk@{places}/{DATABASE}?{IMPATIENT}"

    def lose_the_primary(self) -> None:
        """First its standbys do not hear from it any more, then it is gone with all that only it knows."""
        for standby in self.standbys:
            standby.host.cut_off()
        until(lambda: self.primary.ask(WAITING), "a commit that waits for a standby")
        self.primary.host.lose_power()
        for standby in self.standbys:
            standby.host.connect()

    def promote_the_most_advanced(self) -> Node:
        """What a fail-over manager does: of a quorum, the one that has received most has all that was answered."""
        self.primary = max(self.standbys, key=lambda node: int(str(node.ask(RECEIVED))))
        self.primary.promote()
        return self.primary


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
IN_QUORUM = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'"
RECEIVED = "SELECT pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0')::bigint"


@contextlib.contextmanager
def launch() -> Iterator[Cluster]:
    """A cluster for as long as the block runs."""
    home = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    home.chmod(0o755)
    user = user_for_server()
    try:
        with hosts(3) as machines:
            binaries = programs(home, user)
            nodes = [Node(host, free_port(), home / str(n), binaries, user) for n, host in enumerate(machines)]
            primary, *standbys = nodes
            primary.found()
            primary.start()
            primary.ask(f"CREATE DATABASE {DATABASE}")
            for name, standby in zip(("one", "two"), standbys, strict=True):
                standby.follow(primary, name)
                standby.start()
            primary.ask("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (one, two)'")
            primary.ask("SELECT pg_reload_conf()")
            until(lambda: primary.ask(IN_QUORUM) == 2, "two standbys")
            yield Cluster(nodes)
            for host in machines:
                host.lose_power()
    finally:
        shutil.rmtree(home, ignore_errors=True)
