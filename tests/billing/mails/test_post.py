"""Handing mails over to an SMTP server, a real one on loopback."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from paydesk.billing.post import Mail, Server, Smtp
from paydesk.errors import MailNotSent
from tests.billing.mailbox import PASSWORD, USER

if TYPE_CHECKING:
    from tests.billing.mailbox import Mailbox

SENDER = "The Bookshop <billing@shop.example>"
MAIL = Mail("receipt", "ada@example.com", "Your receipt: 29,00 €", "Thank you.\n", "<p>Thank you.</p>\n", "pdk_1")


class Seconds:
    """Time in seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def post(url: str, seconds: Seconds | None = None) -> Smtp:
    return Smtp(
        Server.parse(url),
        SENDER,
        now=lambda: datetime(2026, 11, 23, 12, tzinfo=UTC),
        now_seconds=seconds or Seconds(),
    )


def test_a_mail_arrives_whole(box: Mailbox) -> None:
    """From whom, to whom, about what, as text and as HTML; and nobody's holiday notice comes back."""
    post(box.url)(MAIL)

    (mail,) = box.mails
    assert {name: str(mail[name]) for name in ("From", "To", "Subject", "Message-ID", "Date", "Auto-Submitted")} == {
        "From": SENDER,
        "To": "ada@example.com",
        "Subject": "Your receipt: 29,00 €",
        "Message-ID": "<pdk_1@shop.example>",
        "Date": "Mon, 23 Nov 2026 12:00:00 +0000",
        "Auto-Submitted": "auto-generated",
    }
    assert (box.part("plain"), box.part("html")) == ("Thank you.\n", "<p>Thank you.</p>\n")
    assert box.recipients == ["ada@example.com"]


def test_long_lines_and_long_names_arrive_as_they_are(box: Mailbox) -> None:
    """No server breaks them, and no Message-ID is folded."""
    key = "pdk_" + "a1" * 20
    text = "Grüße, " + "x" * 2_000 + "\n.\n..dots\n"
    mail = Mail("receipt", "ada@example.com", "ß" * 300, text, f"<p>{text}</p>", key)

    Smtp(Server.parse(box.url), f"Ä{'b' * 80} <billing@{'c' * 60}.example>")(mail)

    assert box.part("plain") == text
    assert box.mails[0]["Subject"] == "ß" * 300
    assert box.mails[0]["Message-ID"] == f"<{key}@{'c' * 60}.example>"


def test_user_and_password_are_taken_from_the_url(box: Mailbox) -> None:
    """Decoded: whatever a password is made of can be written."""
    post(box.url_with_password)(MAIL)

    assert box.passwords == [f"\0{USER}\0{PASSWORD}"]
    assert len(box.mails) == 1


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("EHLO", ""),
        ("AUTH", "535 wrong password"),
        ("MAIL", "451 later"),
        ("RCPT", "450 greylisted"),
        ("RCPT", "550 no such user"),
        ("DATA", ""),
        ("KEEP", "452 full"),
        ("KEEP", ""),
    ],
)
def test_whatever_the_server_refuses_is_said(box: Mailbox, step: str, answer: str) -> None:
    """In one error, which names no password; and the next mail goes through once it is well."""
    seconds = Seconds()
    smtp = post(box.url_with_password, seconds)
    box.answers[step] = answer

    with pytest.raises(MailNotSent) as refusal:
        smtp(MAIL)
    box.answers.clear()
    seconds.now += 31
    smtp(MAIL)

    assert PASSWORD not in str(refusal.value)
    assert answer[4:] in str(refusal.value)
    assert len(box.mails) == 1


def test_a_rude_good_bye_is_no_reason_to_send_it_again(box: Mailbox) -> None:
    """What was taken is taken."""
    box.answers["QUIT"] = "421 go away"

    post(box.url)(MAIL)

    assert len(box.mails) == 1


def test_a_server_out_of_reach_is_left_alone_for_a_while(box: Mailbox) -> None:
    """Handlers behind a mail do not wait for the same silence again and again."""
    seconds = Seconds()
    smtp = post(box.url, seconds)
    box.answers["EHLO"] = ""
    for _ in range(3):
        with pytest.raises(MailNotSent):
            smtp(MAIL)
    assert box.connections == 1

    box.answers.clear()
    seconds.now += 31
    smtp(MAIL)

    assert len(box.mails) == 1


@pytest.mark.parametrize("to", ["ada", "ada@example.com, eve@example.com", "ada@example.com\nBcc: eve@example.com", ""])
def test_a_mail_goes_to_one_address_or_nowhere(box: Mailbox, to: str) -> None:
    """What stands in a customer's e-mail field adds nobody."""
    with pytest.raises(MailNotSent):
        post(box.url)(Mail("receipt", to, "Subject", "Text", "HTML", "pdk_1"))

    assert box.recipients == []


def test_a_subject_adds_no_header(box: Mailbox) -> None:
    """Also where an app's own template breaks its line."""
    with pytest.raises(MailNotSent):
        post(box.url)(Mail("receipt", "ada@example.com", "Hello\nBcc: eve@example.com", "Text", "HTML", "pdk_1"))

    assert box.mails == []


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", Server("mail.example", 587, is_encrypted=False)),
        ("smtps://mail.example", Server("mail.example", 465, is_encrypted=True)),
        (
            "smtp://ada%40example.com:a%2Fb%3Ac@mail.example:25",
            Server("mail.example", 25, is_encrypted=False, user="ada@example.com", password="a/b:c"),
        ),
        ("smtp://[::1]:1025", Server("::1", 1025, is_encrypted=False)),
    ],
)
def test_a_mail_url_is_read(url: str, server: Server) -> None:
    """Scheme, port, and what is written with %."""
    assert Server.parse(url) == server
    assert "a/b:c" not in repr(Server.parse(url))


@pytest.mark.parametrize(
    ("host", "is_here"),
    [("127.0.0.1", True), ("[::1]", True), ("localhost", True), ("mail.example", False), ("192.0.2.1", False)],
)
def test_only_this_machine_is_told_a_password_in_the_clear(host: str, is_here: bool) -> None:
    """Everybody else has to encrypt first."""
    assert Server.parse(f"smtp://ada:secret@{host}").is_here == is_here
