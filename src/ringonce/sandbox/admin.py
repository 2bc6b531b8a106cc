"""`/_sandbox/*`: what a test or a person does to the sandbox, and what they can see of it."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from ringonce.sandbox import registration
from ringonce.sandbox.agenda import iso
from ringonce.sandbox.clock import Clock
from ringonce.sandbox.faults import Fault, Faults
from ringonce.sandbox.hostile import USUAL
from ringonce.sandbox.journal import KEPT, Journal
from ringonce.sandbox.trouble import NotThereError, SandboxError
from ringonce.sandbox.world import World

ROOT = "/_sandbox"
MOST_BYTES = 64 * 1024
MOST_OF_A_WORLD = 64 * 2**20
_UNSEEN = 2**20  # bytes that are read as JSON, whatever they are
_SNAPSHOT = re.compile(rb'\s*\{\s*"format"\s*:\s*\d')
_HALF_A_PAIR = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
_CONFLICT = 409


class House(Protocol):
    """What is looked after here: a world, and what stands between it and the network."""

    world: World
    clock: Clock
    faults: Faults
    journal: Journal

    def set_fault(self, fields: object) -> Fault:
        """Set a fault, or raise `SandboxError`."""

    doses: dict[str, float] | None

    def set_hostile(self, given: object) -> dict[str, float]:
        """Set the hostile profile, or raise `SandboxError`."""

    def end_hostile(self) -> None:
        """Take the hostile profile away."""

    def end_faults(self, fault_id: str | None = None) -> None:
        """Take one fault away, or all."""

    def snapshot(self) -> dict[str, Any]:
        """Write everything down."""

    def restore(self, packed: object) -> None:
        """Go back to what a snapshot says, or raise `SandboxError`."""

    def reset(self) -> None:
        """Begin again with an empty world."""


def make_admin(house: House) -> ASGIApp:
    """Make the application that answers `/_sandbox/*` for a house."""
    desk = _Admin(house)
    page = _Page(Path(__file__).with_name("page.html").read_text("utf-8"))
    ways: list[BaseRoute] = [
        Route(ROOT, lambda _: RedirectResponse(f"{ROOT}/")),
        Route(f"{ROOT}/", page.show),
        Route(f"{ROOT}/health", desk.health),
        Route(f"{ROOT}/calls", desk.calls),
        Route(f"{ROOT}/requests", desk.requests),
        Route(f"{ROOT}/requests", desk.forget_requests, methods=["DELETE"]),
        Route(f"{ROOT}/requests/{{number:int}}", desk.request),
        Route(f"{ROOT}/faults", desk.faults),
        Route(f"{ROOT}/faults", desk.set_fault, methods=["POST"]),
        Route(f"{ROOT}/faults", desk.end_faults, methods=["DELETE"]),
        Route(f"{ROOT}/faults/{{fault_id}}", desk.end_faults, methods=["DELETE"]),
        Route(f"{ROOT}/hostile", desk.hostile),
        Route(f"{ROOT}/hostile", desk.set_hostile, methods=["POST"]),
        Route(f"{ROOT}/hostile", desk.end_hostile, methods=["DELETE"]),
        Route(f"{ROOT}/clients", desk.clients),
        Route(f"{ROOT}/clients/{{client_id}}", desk.change_client, methods=["POST"]),
        Route(f"{ROOT}/clock", desk.clock),
        Route(f"{ROOT}/clock", desk.change_clock, methods=["POST"]),
        Route(f"{ROOT}/reset", desk.reset, methods=["POST"]),
        Route(f"{ROOT}/snapshot", desk.snapshot),
        Route(f"{ROOT}/snapshot", desk.restore, methods=["POST"]),
        Route(f"{ROOT}/phones/{{number}}/{{action}}", desk.phone, methods=["POST"]),
    ]
    errors: dict[Any, Any] = {SandboxError: _refused, HTTPException: _no_such_way}
    return Starlette(routes=ways, exception_handlers=errors)


class _Admin:
    """The requests below `/_sandbox`; each runs on the loop that owns the world."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", **self._time()})

    async def calls(self, request: Request) -> Response:
        return JSONResponse({"calls": self._house.world.calls()[_last(request) :]})

    async def requests(self, request: Request) -> Response:
        journal = self._house.journal
        return JSONResponse({"total": journal.total, "requests": journal.all(_last(request))})

    async def request(self, request: Request) -> Response:
        number: int = request.path_params["number"]
        entry = self._house.journal.one(number)
        if entry is None:
            why = f"the last {KEPT} requests are kept, and there were {self._house.journal.total}"
            raise NotThereError(f"There is no request {number}", why=why, fix=f"GET {ROOT}/requests lists them.")
        return JSONResponse(entry)

    async def forget_requests(self, _: Request) -> Response:
        self._house.journal.clear()
        return Response(status_code=204)

    async def faults(self, _: Request) -> Response:
        return JSONResponse({"faults": self._house.faults.all()})

    async def set_fault(self, request: Request) -> Response:
        return JSONResponse(self._house.set_fault(await _json(request)).as_json(), 201)

    async def end_faults(self, request: Request) -> Response:
        self._house.end_faults(request.path_params.get("fault_id"))
        return Response(status_code=204)

    async def hostile(self, _: Request) -> Response:
        return JSONResponse({"doses": self._house.doses, "usual": dict(USUAL)})

    async def set_hostile(self, request: Request) -> Response:
        given = await _json(request)
        return JSONResponse({"doses": self._house.set_hostile(given), "usual": dict(USUAL)}, 201)

    async def end_hostile(self, _: Request) -> Response:
        self._house.end_hostile()
        return Response(status_code=204)

    async def clients(self, _: Request) -> Response:
        return JSONResponse({"clients": [registration.listed(each) for each in self._house.world.clients.values()]})

    async def change_client(self, request: Request) -> Response:
        client = registration.change(self._house.world, request.path_params["client_id"], await _json(request))
        return JSONResponse(registration.listed(client))

    async def clock(self, _: Request) -> Response:
        return JSONResponse(self._time())

    async def change_clock(self, request: Request) -> Response:
        self._house.clock.change(await _json(request))
        return JSONResponse(self._time())

    async def reset(self, _: Request) -> Response:
        self._house.reset()
        return JSONResponse(self._time())

    async def snapshot(self, _: Request) -> Response:
        answer = JSONResponse(self._house.snapshot(), headers={"Cache-Control": "no-store"})
        if len(answer.body) <= MOST_OF_A_WORLD:
            return answer
        # Nobody could put it back.
        refused = SandboxError(
            "No snapshot was given",
            why=f"it would have {len(answer.body)} bytes, and POST {ROOT}/snapshot takes {MOST_OF_A_WORLD} at most",
            fix="Begin with an empty world (POST /_sandbox/reset), or take it in Python: sandbox.snapshot().",
        )
        return JSONResponse(refused.as_json(), _CONFLICT)

    async def restore(self, request: Request) -> Response:
        self._house.restore(await _json(request, MOST_OF_A_WORLD))
        return JSONResponse(self._time())

    async def phone(self, request: Request) -> Response:
        number, action = request.path_params["number"], request.path_params["action"]
        if action not in ("answer", "decline", "ignore", "hangup"):
            raise NotThereError(
                f"A phone cannot {action!r}",
                why="it can answer, decline, ignore or hangup",
                fix=f"POST {ROOT}/phones/{number}/answer, …/decline, …/ignore or …/hangup.",
            )
        try:
            self._house.world.phone(number, action, request.query_params.get("conversation", ""))
        except KeyError as absent:
            raise NotThereError(
                f"Nobody can {action} at {number}",
                why=str(absent.args[0]),
                fix=f"GET {ROOT}/calls shows which numbers are called now.",
            ) from absent
        except ValueError as wrong:
            refused = SandboxError(f"Nobody can {action} at {number}", why=str(wrong), fix=f"See GET {ROOT}/calls.")
            return JSONResponse(refused.as_json(), _CONFLICT)
        return JSONResponse({"number": number, "action": action})

    def _time(self) -> dict[str, Any]:
        clock = self._house.clock
        return {"now": iso(self._house.world.now), "mode": clock.mode, "speed": clock.speed}


class _Page:
    """The one page; its policy allows its own script and style by their digests and nothing else."""

    def __init__(self, html: str) -> None:
        script, style = (_digest(html, tag) for tag in ("script", "style"))
        self._html = html
        self._headers = {
            "Content-Security-Policy": (
                f"default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; img-src data:; "
                "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    async def show(self, _: Request) -> Response:
        return HTMLResponse(self._html, headers=self._headers)


def _last(request: Request) -> int | None:
    """Say where in a list the newest begin that `?last=` asks for."""
    asked = request.query_params.get("last")
    if asked is None:
        return None
    if not asked.isascii() or not asked.isdigit() or int(asked[:9]) < 1:
        raise SandboxError(f"last cannot be {asked!r}", why="it is a whole number from 1", fix="Ask for ?last=100.")
    return -int(asked[:9])


def _digest(html: str, tag: str) -> str:
    found = re.search(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    text = found[1] if found else ""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


async def _json(request: Request, most: int = MOST_BYTES) -> object:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > most:
            raise SandboxError(
                "The body was not read", why=f"it is larger than {most} bytes", fix="Send a smaller one."
            )
        # Nobody else is answered while Python reads JSON, and that takes seconds for what is this large.
        if len(raw) > _UNSEEN and _SNAPSHOT.match(raw) is None:
            raise _unread('it is large and does not begin with {"format": 1, as a snapshot does')
    try:
        body: object = json.loads(raw)
        # JSON can spell half a surrogate pair; whatever kept one could not be shown again.
        if _HALF_A_PAIR.search(raw):
            json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError as wrong:
        raise _unread("it holds half a surrogate pair, which is no character") from wrong
    except (ValueError, RecursionError) as wrong:
        raise _unread(f"it cannot be read as JSON: {wrong}") from wrong
    return body


def _unread(why: str) -> SandboxError:
    return SandboxError("The body was not understood", why=why, fix="Send a JSON object.")


async def _refused(_: Request, refused: SandboxError) -> Response:
    return JSONResponse(refused.as_json(), 404 if isinstance(refused, NotThereError) else 400)


async def _no_such_way(request: Request, refused: HTTPException) -> Response:
    what = f"The sandbox does not know {request.method} {request.url.path}"
    ways = "/, health, calls, requests, faults, hostile, clients, clock, snapshot, reset and phones/{number}/…"
    words = SandboxError(what, why=refused.detail, fix=f"Below {ROOT} there are {ways}.")
    return JSONResponse(words.as_json(), refused.status_code, headers=refused.headers)
