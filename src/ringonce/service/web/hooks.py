"""The doors for webhooks: who is told of what happens, and how that goes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

import msgspec
import sqlalchemy as sa
from litestar import delete, get, post
from litestar.connection import Request
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from ringonce.errors import NotFound
from ringonce.service import feed, hooks
from ringonce.service.hooks import Hook
from ringonce.service.web.bodies import Reason
from ringonce.service.web.desk import desk_of, token_of
from ringonce.service.web.problems import ProblemError

Asked = Request[Any, Any, Any]
T = TypeVar("T")
HookId = Annotated[str, PathParameter(max_length=60, pattern=r"^hook_[0-9a-f]{8,40}$")]


class WebhookBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A webhook to make."""

    url: Annotated[str, Meta(min_length=1, max_length=2000, description="https, at a public address.")]
    kinds: Annotated[
        tuple[Annotated[str, Meta(max_length=60, pattern=r"^[a-z_]+(\.[a-z_]+)+$")], ...],
        Meta(max_length=50, description="Of events, such as call.changed; none: all."),
    ] = ()


class PauseBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why nothing is to be sent."""

    reason: Reason


class WebhookShown(msgspec.Struct, kw_only=True):
    """A webhook as it stands."""

    id: str
    url: str
    kinds: tuple[str, ...]
    created_at: float
    next_seq: Annotated[int, Meta(description="The first event not yet handed over.")]
    behind: Annotated[int, Meta(description="Events that it has not come to yet, those of other kinds included.")]
    failures: Annotated[int, Meta(description="In a row.")]
    due_at: float
    paused: Annotated[str, Meta(description="Why nothing is sent any more; empty: it is.")]
    said: Annotated[str, Meta(description="What went wrong last; empty once it goes well.")]


class WebhookMade(WebhookShown, kw_only=True):
    """A webhook with its new secret, which is never shown again."""

    secret: Annotated[str, Meta(description="Signs every message, as https://www.standardwebhooks.com says.")]


class Webhooks(msgspec.Struct, kw_only=True):
    """All webhooks."""

    webhooks: list[WebhookShown]


class Tested(msgspec.Struct, kw_only=True):
    """How a test went."""

    ok: bool
    status: Annotated[int, Meta(description="The receiver's; 0 if none came.")]
    said: str
    seconds: float


@get("/v1/webhooks")
async def webhooks(request: Asked) -> Webhooks:
    """List all webhooks, and how they fare."""

    def read(db: sa.Connection) -> Webhooks:
        newest = feed.latest(db)
        return Webhooks(webhooks=[_shown(one, newest) for one in hooks.every(db)])

    return await desk_of(request).house.store.look(read)


@post("/v1/webhooks", status_code=201)
async def make(request: Asked, data: JSONBody[WebhookBody]) -> WebhookMade:
    """Make a webhook: it gets every event from now on, in order, at least once. The secret is in this answer alone."""
    house, by = desk_of(request).house, token_of(request).id
    vault = await house.vault()
    made = await house.store.run(
        hooks.make, vault, data.url, data.kinds, by=by, allow_private=house.webhooks_to_private, now=house.clock()
    )
    return msgspec.convert(msgspec.to_builtins(_shown(made.hook)) | {"secret": made.secret}, WebhookMade)


@get("/v1/webhooks/{hook_id:str}")
async def webhook(request: Asked, hook_id: HookId) -> WebhookShown:
    """Give a webhook."""
    return await _one(request, lambda db: hooks.get(db, hook_id))


@delete("/v1/webhooks/{hook_id:str}", status_code=204)
async def remove(request: Asked, hook_id: HookId) -> None:
    """Remove a webhook; it is sent nothing more."""
    house, by = desk_of(request).house, token_of(request).id
    with _found():
        await house.store.run(hooks.remove, hook_id, by=by, now=house.clock())


@post("/v1/webhooks/{hook_id:str}/pause", status_code=200)
async def pause(request: Asked, hook_id: HookId, data: JSONBody[PauseBody]) -> WebhookShown:
    """Send nothing until it is resumed; what happens meanwhile is kept for it."""
    by, now = token_of(request).id, desk_of(request).house.clock()
    return await _one(request, lambda db: hooks.pause(db, hook_id, why=data.reason, by=by, now=now))


@post("/v1/webhooks/{hook_id:str}/resume", status_code=200)
async def resume(
    request: Asked,
    hook_id: HookId,
    skip: Annotated[bool, QueryParameter(description="Leave out what happened meanwhile.")] = False,
) -> WebhookShown:
    """Send again, from where it stopped, at once."""
    by, now = token_of(request).id, desk_of(request).house.clock()
    return await _one(request, lambda db: hooks.resume(db, hook_id, by=by, skip=skip, now=now))


@post("/v1/webhooks/{hook_id:str}/secret", status_code=200)
async def new_secret(request: Asked, hook_id: HookId) -> WebhookMade:
    """Give it another secret. The one before signs beside it for a day, so that no message is refused meanwhile."""
    house, by = desk_of(request).house, token_of(request).id
    vault = await house.vault()
    with _found():
        made = await house.store.run(hooks.new_secret, vault, hook_id, by=by, now=house.clock())
    return msgspec.convert(msgspec.to_builtins(_shown(made.hook)) | {"secret": made.secret}, WebhookMade)


@post("/v1/webhooks/{hook_id:str}/test", status_code=200)
async def test(request: Asked, hook_id: HookId) -> Tested:
    """Send one message of type webhook.test, and say how that went."""
    with _found():
        answer = await desk_of(request).house.deliveries.test(hook_id)
    return Tested(ok=answer.ok, status=answer.status, said=answer.said, seconds=round(answer.seconds, 3))


async def _one(request: Asked, do: Callable[[sa.Connection], Hook]) -> WebhookShown:
    def changed(db: sa.Connection) -> WebhookShown:
        return _shown(do(db), feed.latest(db))

    with _found():
        return await desk_of(request).house.store.run(changed)


def _shown(hook: Hook, newest: int | None = None) -> WebhookShown:
    behind = 0 if newest is None else max(0, newest + 1 - hook.next_seq)
    return WebhookShown(behind=behind, **msgspec.structs.asdict(hook))


@contextmanager
def _found() -> Iterator[None]:
    try:
        yield
    except NotFound as missing:
        raise ProblemError("not-found", missing.what, why=missing.why, fix=missing.fix) from missing


DOORS: tuple[Any, ...] = (webhooks, make, webhook, remove, pause, resume, new_secret, test)
