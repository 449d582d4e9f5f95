"""The pages: a desk to write at, and an album for penfriends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, session, url_for

from . import cards
from .billing import current_user, desk

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

pages = Blueprint("pages", __name__)


@pages.get("/")
def home() -> str:
    """Where cards are written."""
    user = current_user()
    if user is None:
        return render_template("sign_in.html")
    with desk.store.read() as db:
        stamps, written = cards.stamps_of(db, user.id), cards.of(db, user.id)
    access = desk.access(user)
    return render_template("home.html", user=user, stamps=stamps, cards=written[:3], access=access)


@pages.post("/cards")
def send() -> Response:
    """A stamp for a card; a penfriend needs none."""
    user = current_user()
    to, text = request.form.get("to", "").strip()[:80], request.form.get("text", "").strip()[:500]
    if user is None or not to or not text:
        return redirect(url_for("pages.home"))
    is_free = desk.allows(user, "unstamped")
    with desk.store.write() as db:
        is_sent = is_free or cards.use_stamp(db, user.id)
        if is_sent:
            cards.keep(db, user.id, to=to, text=text)
    flash(f"Your card to {to} is on its way." if is_sent else "You have no stamps left.")
    return redirect(url_for("pages.home"))


@pages.get("/album")
@desk.require("album")
def album() -> str:
    """Every card: for those whose plan has it."""
    user = current_user()
    with desk.store.read() as db:
        return render_template("album.html", cards=cards.of(db, user.id) if user else [])


@pages.post("/sign-in")
def sign_in() -> Response:
    """Toy sign-in: a name is enough."""
    session["name"] = request.form.get("name", "").strip()[:40] or "ada"
    return redirect(url_for("pages.home"))


@pages.post("/sign-out")
def sign_out() -> Response:
    """And out again."""
    session.clear()
    return redirect(url_for("pages.home"))
