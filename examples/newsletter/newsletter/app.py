"""The routes: letters to read, replies to write, a book to fetch, and paydesk's beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from newsletter.billing import desk, in_session, prepare
from newsletter.models import Letter, Reader, Reply

COOKIE = "reader"

templates = Jinja2Templates(Path(__file__).parent / "templates")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Tables first, then paydesk's worker for as long as the app runs."""
    await run_in_threadpool(prepare)
    async with desk.lifespan(app):
        yield


app = FastAPI(title="Letters", lifespan=lifespan)


async def current_reader(request: Request) -> Reader | None:
    """Who is here: whoever holds the token that signing in gave them."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    return await in_session(lambda db: db.scalar(select(Reader).where(Reader.token == token)))


async def typed_in(request: Request) -> dict[str, str]:
    """What a form was filled in with."""
    return dict(parse_qsl((await request.body()).decode()))


app.include_router(desk.router(user=current_reader))
Here = Annotated[Reader | None, Depends(current_reader)]
Typed = Annotated[dict[str, str], Depends(typed_in)]
Patron = Annotated[Reader, Depends(desk.require("replies"))]


@app.get("/", response_class=HTMLResponse)
async def home(request: Request, reader: Here) -> Response:
    """All letters; those that are not open to this reader behind a lock."""
    letters = await in_session(lambda db: db.scalars(select(Letter).order_by(Letter.id.desc())).all())
    is_member = await desk.aio.allows(reader, "letters")
    return templates.TemplateResponse(
        request, "home.html", {"reader": reader, "letters": letters, "is_member": is_member}
    )


@app.post("/sign-in")
async def sign_in(typed: Typed) -> RedirectResponse:
    """Toy sign-in: an address is enough. A real newsletter would send it the token."""

    email = typed.get("email", "").strip()[:200]
    if "@" not in email:
        raise HTTPException(422, "That is no e-mail address.")

    def find(db: Session) -> Reader:
        reader = db.scalar(select(Reader).where(Reader.email == email))
        if reader is None:
            reader = Reader(email=email)
            db.add(reader)
            db.flush()
        return reader

    reader = await in_session(find)
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie(COOKIE, reader.token, httponly=True, samesite="lax")
    return answer


@app.get("/letters/{number}", response_class=HTMLResponse)
async def letter(request: Request, number: int, reader: Here) -> Response:
    """One letter, or the way to become a member."""
    found = await _letter(number)
    access = await desk.aio.access(reader) if reader is not None else None
    is_open = found.is_free or (access is not None and access.allows("letters"))
    values = {
        "reader": reader,
        "letter": found,
        "is_open": is_open,
        "may_reply": access is not None and access.allows("replies"),
    }
    return templates.TemplateResponse(request, "letter.html", values, status_code=200 if is_open else 402)


@app.post("/letters/{number}/replies")
async def reply(number: int, patron: Patron, typed: Typed) -> RedirectResponse:
    """What a patron says about a letter."""
    found, text = await _letter(number), typed.get("text", "").strip()
    if text:
        await in_session(lambda db: db.add(Reply(letter_id=found.id, reader_id=patron.id, text=text)))
    return RedirectResponse(f"/letters/{number}", status_code=303)


@app.get("/book", response_class=HTMLResponse)
async def book(request: Request, reader: Here) -> Response:
    """The archive, for whoever bought it."""
    if reader is None or reader.book is None:
        return RedirectResponse("/pricing", status_code=303)
    letters = await in_session(lambda db: db.scalars(select(Letter).order_by(Letter.id)).all())
    return templates.TemplateResponse(request, "book.html", {"reader": reader, "letters": letters})


async def _letter(number: int) -> Letter:
    found = await in_session(lambda db: db.get(Letter, number))
    if found is None:
        raise HTTPException(404, "There is no such letter.")
    return found
