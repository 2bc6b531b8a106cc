"""Giving back what logins were given: the platform is asked to forget it, and it is forgotten here in any case."""

import asyncio
import collections.abc
import contextlib
import typing
from pathlib import Path

from ringonce.cli import logins
from ringonce.errors import ConfigError, RingonceError

if typing.TYPE_CHECKING:
    from ringonce.client.safe import Safe
    from ringonce.config import Settings

PATIENCE = 10.0
"""Seconds for which the platform is asked to forget one login."""


class Withdrawn(typing.NamedTuple):
    """A login that is gone from this machine."""

    login: logins.Login
    trouble: str
    """Why the platform may not have forgotten it; empty if it has."""

    @property
    def who(self) -> str:
        """Whose it was, in words."""
        return self.login.who or "a login that was cut off"


async def withdraw_leftovers(settings: "Settings", folder: Path) -> list[Withdrawn]:
    """Withdraw and forget every login that is not used and that no process is busy with."""
    from ringonce.client.safe import safe_in

    # A secret that others can read is refused for every use but this one: withdrawing takes the secret itself.
    safe = safe_in(folder, settings.secrets, even_leaked=True)
    done = []
    for login in logins.leftovers(folder, settings.endpoints.api):
        async with contextlib.AsyncExitStack() as turn:
            try:
                await turn.enter_async_context(safe.alone(login.under_way, patience=0))
            except ConfigError:
                continue  # somebody is logging in
            # It may have come to its end, or have been withdrawn, before it was our turn.
            if login in logins.leftovers(folder, login.api):
                trouble = await _revoke(settings, login, safe)
                safe.keep(login.store_as, None)
                await logins.remove(folder, login)
                done.append(Withdrawn(login, trouble))
            safe.keep(login.under_way, None)
    return done


async def take_up_orphans(settings: "Settings", folder: Path) -> None:
    """Put on the list whose secrets are there though it does not name them, so that they are withdrawn."""
    from ringonce.client.auth.renewing import Kept, read
    from ringonce.client.safe import FileSafe, safe_in

    safe = safe_in(folder, settings.secrets, even_leaked=True)

    def orphans(names: collections.abc.Iterable[str]) -> list[logins.Login]:
        stored = safe.everything() if isinstance(safe, FileSafe) else [safe.recall(name) for name in names]
        kept: list[Kept | None] = [read(one) for one in stored]
        return [
            logins.Login(api=one.api, client_id=one.client_id, store_as=one.name, current=False)
            for one in kept
            if one and logins.is_name(one.name) and one.client_id
        ]

    await logins.take_up(folder, orphans)


async def _revoke(settings: "Settings", login: logins.Login, safe: "Safe") -> str:
    from ringonce import AsyncClient, RefreshToken
    from ringonce.client.auth.renewing import read

    if login.agent_id and read(safe.recall(login.store_as)) is None:
        return "what was stored of it is gone or can't be read, so its tokens live as long as the OAuth client's do"
    endpoints = settings.endpoints
    auth = RefreshToken(login.client_id, store_as=login.store_as, whose=login.who)
    try:
        async with (
            asyncio.timeout(PATIENCE),
            AsyncClient(
                base_url=endpoints.api, login_url=endpoints.login, allow_http=True, auth=auth, safe=safe
            ) as client,
        ):
            await client.revoke_token()
    except TimeoutError:
        return f"no answer within {PATIENCE:g} s"
    except RingonceError as error:
        return str(error)
    return ""
