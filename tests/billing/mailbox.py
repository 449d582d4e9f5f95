"""A mail server on loopback that keeps what it is handed, and can be told to behave badly."""

from __future__ import annotations

import socketserver
import threading
from base64 import b64decode
from contextlib import contextmanager
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

USER, PASSWORD = "shop", "p@ss/word"


class Mailbox(socketserver.ThreadingTCPServer):
    """What was handed in, in its order. Set `answers["RCPT"] = "451 later"` to have a command refused."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.passwords: list[str] = []
        self.answers: dict[str, str] = {}
        self.connections = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"

    @property
    def url_with_password(self) -> str:
        return self.url.replace("//", f"//{USER}:p%40ss%2Fword@")

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]

    def part(self, kind: str, number: int = -1) -> str:
        """The plain text or the HTML of a mail."""
        part = self.mails[number].get_body((kind,))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")


class _Talk(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self.server.connections += 1
        self.say("220 mailbox")
        for line in iter(self.rfile.readline, b""):
            command = line.decode().strip()
            verb = command[:4].upper()
            if verb in self.server.answers:
                answer = self.server.answers[verb]
                if not answer:
                    return  # hangs up
                self.say(answer)
            elif verb == "EHLO":
                self.say("250-mailbox\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                self.server.passwords.append(b64decode(command.split()[2]).decode())
                self.say("235 welcome")
            elif verb == "RCPT":
                self.server.recipients.append(command.partition("<")[2].partition(">")[0])
                self.say("250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                self.keep()
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def keep(self) -> None:
        lines = [line.removeprefix(b".") for line in iter(self.rfile.readline, b".\r\n")]
        if (answer := self.server.answers.get("KEEP")) is not None:
            if answer:
                self.say(answer)
            return
        mail = message_from_bytes(b"".join(lines), policy=policy.default)
        self.server.mails.append(mail)
        self.say("250 kept")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mail server that is running."""
    opened = Mailbox()
    thread = threading.Thread(target=opened.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield opened
    opened.shutdown()
    thread.join()
    opened.server_close()
