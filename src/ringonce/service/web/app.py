"""The web application: every door, behind the doorkeeper."""

import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response
from litestar.types import ASGIApp, HTTPScope

from ringonce.service.access import Role
from ringonce.service.house import House
from ringonce.service.web import (
    administering,
    batches,
    calls,
    connect,
    document,
    events,
    hooks,
    lists,
    live,
    page,
    session,
    steering,
    watching,
)
from ringonce.service.web.bodies import StrictRequest
from ringonce.service.web.desk import Desk
from ringonce.service.web.doorkeeper import Doorkeeper, allowed, known_parameters
from ringonce.service.web.health import Health
from ringonce.service.web.pace import Pace
from ringonce.service.web.problems import handler
from ringonce.service.web.tail import Tail

PER_MINUTE = 6_000
"""Requests that a token may make in a minute unless told otherwise."""
ROOMS = (calls, steering, batches, live, events, administering, lists, hooks, connect, watching, session, page)
DOORS: tuple[Any, ...] = tuple(door for room in ROOMS for door in room.DOORS)


@asynccontextmanager
async def opened(
    house: House,
    *,
    names: Iterable[str] = (),
    per_minute: int = PER_MINUTE,
    pace: Pace | None = None,
    behind_tls: bool = False,
) -> AsyncIterator[tuple[ASGIApp, Desk]]:
    """Give the application of a house, and its desk. *names* are hosts that it is called by, besides loopback's."""
    pace = pace or Pace()
    async with Tail(house.store) as tail:
        told = document.drawn(DOORS)
        desk = Desk(house, tail, Health(house, time.monotonic), told, pace, behind_tls)
        app = Litestar(
            [*_options(), *DOORS],
            openapi_config=None,
            request_class=StrictRequest,
            exception_handlers={Exception: handler},
            guards=[allowed, known_parameters(document.asked_by(told))],
            logging_config=None,
            request_max_body_size=calls.MOST_BYTES,
        )
        app.state.desk = desk
        observe = _observer(desk)
        yield (
            Doorkeeper(
                app,
                house.store,
                names=names,
                per_minute=per_minute,
                clock=house.clock,
                pace=pace,
                behind_tls=behind_tls,
                observe=observe,
            ),
            desk,
        )


def _options() -> list[HTTPRouteHandler]:
    """Make doors that tell every method of a path: the framework's own know only the first door's."""
    methods: dict[str, set[str]] = {}
    for door in DOORS:
        for path in door.paths:
            methods.setdefault(path, {"OPTIONS"}).update(str(method) for method in door.http_methods)
    return [_option(path, ", ".join(sorted(known))) for path, known in methods.items()]


def _option(path: str, known: str) -> HTTPRouteHandler:
    def tell() -> Response[None]:
        return Response(None, headers={"Allow": known})

    door = HTTPRouteHandler(
        path,
        http_method="OPTIONS",
        status_code=204,
        include_in_schema=False,
        sync_to_thread=False,
        opt={"role": Role.VIEWER},
    )
    return door(tell)


def _observer(desk: Desk) -> Callable[[HTTPScope, int, float], None]:
    def observe(scope: HTTPScope, status: int, seconds: float) -> None:
        # As declared, so that ids don't become labels.
        desk.requests.count(scope["method"], str(scope.get("path_template") or ""), status, seconds)

    return observe
