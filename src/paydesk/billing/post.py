"""The post: a mail, and the SMTP server that takes it.

    MAIL_URL=smtps://user:password@smtp.example.com     TLS from the first byte, port 465
    MAIL_URL=smtp://user:password@smtp.example.com      STARTTLS, port 587

A password never goes over the network in the clear: a server that does not
offer to encrypt is not given one, unless it is on this machine.
"""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING, Literal, get_args
from urllib.parse import unquote, urlsplit

from paydesk.errors import MailNotSent

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["payment_failed", "action_needed", "card_expiring", "trial_ending", "receipt", "ended"]
KINDS: tuple[Kind, ...] = get_args(Kind)

PORTS = {"smtp": 587, "smtps": 465}

# Handlers wait for their turn behind a mail: a server that is silent must not keep them for long, and not each time.
TIMEOUT_SECONDS = 10.0
SILENCE_SECONDS = 30.0

# Long enough that no header is folded: an old Python breaks a Message-ID where it folds it.
POLICY = SMTP.clone(max_line_length=990)


@dataclass(frozen=True)
class Mail:
    """One mail, ready to go. `key` is the same at each try, and no other mail's: pass it on to a service that sends."""

    kind: Kind
    to: str
    subject: str
    text: str
    html: str
    key: str


@dataclass(frozen=True)
class Server:
    """Where mails are handed in. `is_encrypted`: from the first byte, and not when the server offers it."""

    host: str
    port: int
    is_encrypted: bool
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> Server:
        """The server of a MAIL_URL. Raises ValueError with the reason, which repeats no password."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS:
            raise ValueError("starts neither with smtp:// nor with smtps://")
        try:
            port = parts.port or PORTS[parts.scheme]
        except ValueError:
            # A character of the password that ends the host's name is the usual reason.
            raise ValueError("has no port that is a number. Write / : @ # ? in the password as %2F %3A %40 …") from None
        if not parts.hostname:
            raise ValueError("names no host")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("goes on after the host. Write / : @ # ? in the password as %2F %3A %40 …")
        if parts.password and not parts.username:
            raise ValueError("has a password and no user")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port, parts.scheme == "smtps", user, password)

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine, where nobody listens on the way."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class Smtp:
    """Sends mails through an SMTP server. `sender` is the address they come from: `Bookshop <billing@shop.example>`."""

    def __init__(
        self,
        server: Server,
        sender: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._sender = address(sender)
        self._now = now
        self._now_seconds = now_seconds
        self._silent_until = 0.0

    def __call__(self, mail: Mail) -> None:
        """Hand one mail over. Raises MailNotSent; if that is not certain, a second try has the same Message-ID."""
        if self._now_seconds() < self._silent_until:
            raise MailNotSent(mail.kind, f"{self._server.host} was out of reach a moment ago")
        message = self.message(mail)
        try:
            smtp = self._connected()
        except OSError as error:  # SMTPException is one
            self._silent_until = self._now_seconds() + SILENCE_SECONDS
            raise MailNotSent(mail.kind, _reason(error)) from error
        try:
            smtp.send_message(message, from_addr=self._sender.addr_spec, to_addrs=[mail.to])
        except (OSError, ValueError) as error:
            raise MailNotSent(mail.kind, _reason(error)) from error
        finally:
            # Taken is taken: how the server says good-bye is no reason to send it again.
            with suppress(OSError):
                smtp.quit()
            smtp.close()

    def message(self, mail: Mail) -> EmailMessage:
        """The mail as it goes over the wire. Raises MailNotSent if it cannot be one."""
        message = EmailMessage(policy=POLICY)
        try:
            message["From"] = self._sender
            message["To"] = _address("", mail.to)
            message["Subject"] = mail.subject
        except (ValueError, HeaderParseError) as error:
            raise MailNotSent(mail.kind, f"to {mail.to!r}, {mail.subject!r}: {error}") from error
        message["Date"] = format_datetime(self._now())
        message["Message-ID"] = f"<{mail.key}@{self._sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"  # or holiday notices come back
        message.set_content(mail.text, cte="quoted-printable")
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
        return message

    def _connected(self) -> smtplib.SMTP:
        """A connection on which a mail may be sent: encrypted and signed in, as far as that is wanted."""
        server, context = self._server, ssl.create_default_context()
        # Without a name of its own, smtplib asks the network for one, which can take longer than everything else.
        ours = self._sender.domain
        if server.is_encrypted:
            encrypted = smtplib.SMTP_SSL(server.host, server.port, ours, timeout=TIMEOUT_SECONDS, context=context)
            return self._signed_in(encrypted)
        smtp = smtplib.SMTP(server.host, server.port, ours, timeout=TIMEOUT_SECONDS)
        try:
            smtp.ehlo_or_helo_if_needed()
            if smtp.has_extn("starttls"):
                smtp.starttls(context=context)
                smtp.ehlo()
            elif server.user and not server.is_here:
                raise smtplib.SMTPNotSupportedError("it does not encrypt, and would see the password: use smtps://")
        except OSError:
            smtp.close()
            raise
        return self._signed_in(smtp)

    def _signed_in(self, smtp: smtplib.SMTP) -> smtplib.SMTP:
        if self._server.user:
            try:
                smtp.login(self._server.user, self._server.password)
            except OSError:
                smtp.close()
                raise
        return smtp


def address(text: str) -> Address:
    """`Bookshop <billing@shop.example>` as an address. Raises ValueError if it is none."""
    return _address(*parseaddr(text))


def _address(name: str, spec: str) -> Address:
    parsed = Address(display_name=name, addr_spec=spec) if spec else Address()
    if not parsed.username or not parsed.domain:
        raise ValueError(f"{spec!r} is no address such as billing@shop.example")
    return parsed


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
