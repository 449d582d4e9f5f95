"""The kernel: one request from bytes to bytes, and one agenda for what happens by itself.

A request is *admitted* (who asks, what, is it well-formed, was it answered before) and
then *performed*: its work, its events and its idempotency record are one transaction,
so a replay, a crash and a webhook can never disagree.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from paydesk.emulator.kernel import auth, contract, form, idempotency, ids, versions
from paydesk.emulator.kernel.agenda import Agenda, Task
from paydesk.emulator.kernel.clock import Now, real
from paydesk.emulator.kernel.document import Document, to_text
from paydesk.emulator.kernel.errors import StripeError, invalid, not_modelled, unexpected, unrecognized_url
from paydesk.emulator.kernel.expand import expanded
from paydesk.emulator.kernel.limits import RateLimits
from paydesk.emulator.kernel.lists import Page
from paydesk.emulator.kernel.messages import Answered, Request
from paydesk.emulator.kernel.request_log import Entry, RequestLog
from paydesk.emulator.kernel.routes import Call, Route
from paydesk.emulator.kernel.sandboxes import Sandbox, Sandboxes
from paydesk.emulator.kernel.table import Table
from paydesk.emulator.kernel.world import Cause, World

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from paydesk.emulator.kernel.kinds import Kind
    from paydesk.emulator.kernel.store import Store
    from paydesk.emulator.kernel.timelines import Timeline

log = logging.getLogger("paydesk.local")

T = TypeVar("T")

NO_EFFECT_LENGTH_MAX = 1000
# From this status on clients decide for themselves whether to ask again.
CONFLICT = 409
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


class Resource(Protocol):
    """What a file under resources/ offers."""

    @property
    def KINDS(self) -> tuple[Kind, ...]: ...  # noqa: N802 - constants of a module

    @property
    def ROUTES(self) -> tuple[Route, ...]: ...  # noqa: N802 - as above

    @property
    def TASKS(self) -> Mapping[str, Task]: ...  # noqa: N802 - as above


@dataclass(frozen=True)
class Options:
    """How a server behaves.

    `base_url` is where it can be reached: hosted pages' URLs begin with it. `strict` refuses parameters
    without effect. `seed` gives every sandbox the same ids each time it starts empty. Events go to this machine
    alone unless `deliver_anywhere`.
    """

    base_url: str = "http://127.0.0.1:12111"
    strict: bool = False
    rate_limits: bool = False
    seed: str | None = None
    deliver_anywhere: bool = False
    delivery_timeout_seconds: float = 10.0


@dataclass
class Admitted:
    """A request that may be performed, in the sandbox its key opened."""

    request: Request
    id: str
    sandbox: Sandbox
    route: Route
    path: Mapping[str, str]
    params: dict[str, Any]
    without_effect: tuple[str, ...]
    idempotency_key: str | None
    fingerprint: str
    is_public: bool
    received_ns: int = field(default_factory=time.perf_counter_ns)


class Kernel:
    """The server, without its HTTP edge."""

    def __init__(
        self, store: Store, resources: Iterable[Resource], options: Options = Options(), *, now: Now = real
    ) -> None:
        self.store = store
        self.options = options
        self.api_version = versions.pinned()
        self.request_log = RequestLog(store)
        # What an event sets in motion; the deliveries' outbox, once it is there.
        self.announce: Callable[[World, Document], None] = _store_event
        # Called after every commit in which something happened.
        self.listeners: list[Callable[[], None]] = []
        self.kinds: dict[str, Kind] = {}
        self.table = Table()
        self.sandboxes = Sandboxes(store, now, options.seed)
        self._now = now
        self.request_ids = ids.RequestIds()
        self._limits = RateLimits()
        self._in_flight: set[tuple[int, str]] = set()
        self.tasks: dict[str, Task] = {}
        for resource in resources:
            self.kinds.update({kind.name: kind for kind in resource.KINDS})
            self.tasks.update(resource.TASKS)
            for route in resource.ROUTES:
                self.table.add(route)
        self.agenda = Agenda(store, self.sandboxes, self.tasks, now, world=self._world, tell=self._tell)

    # Requests

    def answer(self, request: Request) -> Answered:
        """Admit and perform, at one go."""
        admitted = self.admit(request)
        if isinstance(admitted, Answered):
            return admitted
        try:
            answered = self.perform(admitted)
            self.store.commit()
            return answered
        finally:
            self.release(admitted)

    def admit(self, request: Request) -> Admitted | Answered:
        """Everything that is settled before the endpoint begins. An admitted request holds its
        idempotency key until it is released."""
        request_id = self.request_ids.next()
        sandbox: Sandbox | None = None
        try:
            key = auth.read(request.headers.get("authorization"))
            sandbox = self.sandboxes.open(key.name, livemode=key.livemode)
            self._check_headers(request, sandbox)
            found = self.table.find(request.method, request.path)
            if found is None:
                raise self._unknown(request)
            route, path = found
            if key.is_publishable and not route.is_public:
                raise StripeError(auth.PUBLISHABLE, status=401)
            key.check_may(route.area, writes=request.method != "GET", account=sandbox.account)
            if self.options.rate_limits:
                self._limits.check(
                    sandbox.number, f"{route.method} {route.path}", livemode=sandbox.livemode, second=int(self._now())
                )
            sent = form.decode(request.query) | form.decode(request.body)
            idempotency_key = request.headers.get("idempotency-key") if request.method == "POST" else None
            mark = ""
            if idempotency_key is not None:
                idempotency.check(idempotency_key)
                if (sandbox.number, idempotency_key) in self._in_flight:
                    raise idempotency.in_use(idempotency_key)
                mark = idempotency.fingerprint(request.method, request.path, sent)
                kept = idempotency.recall(
                    self.store.db, sandbox.number, idempotency_key, request.path, mark, self.sandboxes.now(sandbox)
                )
                if kept is not None:
                    return self._replayed(request, request_id, sandbox, idempotency_key, kept)
            params, idle = self._checked(route, sent)
        except StripeError as refusal:
            return self.refused(request, request_id, sandbox, refusal)
        if idempotency_key is not None:
            self._in_flight.add((sandbox.number, idempotency_key))
        return Admitted(
            request, request_id, sandbox, route, path, params, idle, idempotency_key, mark, key.is_publishable
        )

    def perform(self, admitted: Admitted) -> Answered:
        """Run the endpoint and keep its work, its events and its answer together.

        The answer may be given once the store has committed.
        """
        request, sandbox, key = admitted.request, admitted.sandbox, admitted.idempotency_key
        if request.method == "GET":
            status, body, refusal = self._run(admitted, self._world(self.store.db, sandbox))
            return self._answered(request, admitted, status, body, refusal)
        self.sandboxes.promise_ids(sandbox)
        with self.store.unit() as db:
            world = self._world(db, sandbox, Cause(admitted.id, key))
            status, body, refusal = self._run(admitted, world)
            if key is not None and idempotency.is_kept(refusal):
                idempotency.keep(
                    db, sandbox.number, key, request.path, admitted.fingerprint, admitted.id, status, body, world.wall
                )
        self._tell(world)
        return self._answered(request, admitted, status, body, refusal)

    def release(self, admitted: Admitted) -> None:
        """The request is over: its key may be used again."""
        if admitted.idempotency_key is not None:
            self._in_flight.discard((admitted.sandbox.number, admitted.idempotency_key))

    def within(self, sandbox: Sandbox, work: Callable[[World], T]) -> T:
        """Do something in a sandbox that no API request asked for: a click on a hosted page, a delivery's outcome.

        A refusal keeps or drops the work as it would in a request, and is raised again.
        """
        refusal: StripeError | None = None
        self.sandboxes.promise_ids(sandbox)
        with self.store.transaction() as db:
            world = self._world(db, sandbox)
            try:
                result = work(world)
            except StripeError as raised:
                refusal = raised
                if not raised.keeps_work:
                    world.undo()
        self._tell(world)
        if refusal is not None:
            raise refusal
        return result

    # Inside a request

    def _run(self, admitted: Admitted, world: World) -> tuple[int, bytes, StripeError | None]:
        call = Call(
            world, admitted.path, admitted.params, admitted.request.path, admitted.without_effect, admitted.is_public
        )
        is_read = admitted.request.method == "GET"
        try:
            answer = admitted.route.run(call)
            # An endpoint may find out only then that a value has no effect here.
            admitted.without_effect = call.without_effect
            return 200, self._rendered(world, answer, admitted.params).encode(), None
        except StripeError as raised:
            refusal = raised
        except Exception:
            log.exception("%s %s failed (%s)", admitted.request.method, admitted.request.path, admitted.id)
            refusal = unexpected()
        if not is_read and not refusal.keeps_work:
            world.undo()
        return refusal.status, self._error_body(admitted.id, refusal), refusal

    def _rendered(self, world: World, answer: Document | Page | dict[str, Any] | str, params: dict[str, Any]) -> str:
        if isinstance(answer, str):
            return answer
        paths = params.get("expand")
        if paths:
            shown = answer.value() if isinstance(answer, Page) else answer
            return to_text(expanded(world, shown, paths))
        if isinstance(answer, Page):
            return answer.text()
        return answer.stored if isinstance(answer, Document) and answer.stored else to_text(answer)

    def _checked(self, route: Route, sent: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        if not route.is_listed:
            return sent, ()
        operation = contract.operation(route.method, route.path)
        if operation is None:
            raise RuntimeError(f"{route.method} {route.path} is not a URL the SDK knows")
        params = contract.check(operation, sent)
        idle = route.without_effect(contract.leaves(sent)) if sent else ()
        if idle and self.options.strict:
            raise invalid(
                f"In strict mode, parameters without effect here are refused: {', '.join(idle)}.", param=idle[0]
            )
        if idle:
            log.info("%s %s: without effect here: %s", route.method, route.path, ", ".join(idle))
        return params, idle

    def _check_headers(self, request: Request, sandbox: Sandbox) -> None:
        version = request.headers.get("stripe-version")
        if version is not None:
            versions.check(version)
        account = request.headers.get("stripe-account")
        if account is not None and account != sandbox.account:
            raise invalid("The local Stripe does not model connected accounts; leave out the Stripe-Account header.")

    def _unknown(self, request: Request) -> StripeError:
        known = contract.match(request.method, request.path)
        return (
            unrecognized_url(request.method, request.path) if known is None else not_modelled(request.method, known[0])
        )

    # Answers

    def _answered(
        self, request: Request, admitted: Admitted, status: int, body: bytes, refusal: StripeError | None
    ) -> Answered:
        headers = self._headers(admitted.id)
        if admitted.idempotency_key is not None:
            headers.update(_of_key(admitted.idempotency_key, admitted.id))
        if refusal is not None:
            headers.update(refusal.headers)
        idle = list(admitted.without_effect)
        version = request.headers.get("stripe-version")
        if version is not None and version != self.api_version:
            idle.append("Stripe-Version")
        if idle:
            # Names below a map are the caller's own, and must not break out of the header.
            headers["Paydesk-No-Effect"] = _UNPRINTABLE.sub("?", ", ".join(idle))[:NO_EFFECT_LENGTH_MAX]
        self._note(request, admitted.id, admitted.sandbox, status, body, admitted.received_ns)
        return Answered(status, headers, body)

    def _replayed(
        self, request: Request, request_id: str, sandbox: Sandbox, key: str, kept: idempotency.Kept
    ) -> Answered:
        headers = self._headers(request_id) | _of_key(key, kept.request) | {"Idempotent-Replayed": "true"}
        self._note(request, request_id, sandbox, kept.status, kept.body, time.perf_counter_ns())
        return Answered(kept.status, headers, kept.body)

    def refused(self, request: Request, request_id: str, sandbox: Sandbox | None, refusal: StripeError) -> Answered:
        # What belongs to no sandbox is in no log: a link would lead nowhere.
        body = to_text(refusal.body(None)).encode() if sandbox is None else self._error_body(request_id, refusal)
        if sandbox is not None:
            self._note(request, request_id, sandbox, refusal.status, body, time.perf_counter_ns())
        headers = self._headers(request_id)
        key = request.headers.get("idempotency-key")
        if key is not None and request.method == "POST" and refusal.status < CONFLICT:
            headers |= _of_key(key, request_id)
        return Answered(refusal.status, headers | refusal.headers, body)

    def _error_body(self, request_id: str, refusal: StripeError) -> bytes:
        return to_text(refusal.body(f"{self.options.base_url}/_local/requests/{request_id}")).encode()

    def _headers(self, request_id: str) -> dict[str, str]:
        return {"Request-Id": request_id, "Stripe-Version": self.api_version}

    def _note(
        self, request: Request, request_id: str, sandbox: Sandbox, status: int, body: bytes, began_ns: int
    ) -> None:
        self.request_log.note(
            Entry(
                sandbox.number,
                request_id,
                request,
                self.api_version,
                status,
                body,
                self.sandboxes.now(sandbox),
                (time.perf_counter_ns() - began_ns) // 1000,
            )
        )

    # Worlds

    def _world(
        self,
        db: sqlite3.Connection,
        sandbox: Sandbox,
        cause: Cause = Cause(),
        *,
        wall: int | None = None,
        playing: Timeline | None = None,
    ) -> World:
        return World(
            db,
            sandbox,
            kinds=self.kinds,
            tasks=self.tasks,
            wall=self.sandboxes.now(sandbox) if wall is None else wall,
            base_url=self.options.base_url,
            api_version=self.api_version,
            announce=self.announce,
            cause=cause,
            playing=playing,
        )

    def _tell(self, world: World) -> None:
        if world.events:
            for listener in self.listeners:
                listener()
        if world.planned is not None:
            for watcher in self.agenda.watchers:
                watcher(self.sandboxes.unpushed(world.sandbox, world.planned))


def _of_key(key: str, first_request: str) -> dict[str, str]:
    """What the answer to a keyed request says of its key: asking again would give the same answer."""
    return {"Idempotency-Key": key, "Original-Request": first_request, "Stripe-Should-Retry": "false"}


def _store_event(world: World, event: Document) -> None:
    world.add(event)
