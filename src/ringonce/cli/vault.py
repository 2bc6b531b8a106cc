"""`ringonce vault`: the key under which the service keeps agents' refresh tokens and webhooks' secrets."""

import os
import typing

import click

from ringonce.cli.options import answering
from ringonce.cli.words import say

if typing.TYPE_CHECKING:
    from ringonce.service.store import Store

database = click.option(
    "--database",
    metavar="URL",
    envvar="RINGONCE_DATABASE",
    default=None,
    help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME; by default a file in the state folder.",
)


@click.group(short_help="Change the key under which agents' refresh tokens are kept.")
def command() -> None:
    """Change or check the key under which the service keeps agents' refresh tokens and webhooks' secrets."""


@command.command()
@database
@answering
def rotate(*, database: str | None) -> int:
    """Seal everything anew, with the first key; the others can go then.

    With RINGONCE_VAULT_KEY, put the new key in front of the old one first, for every server and worker. Without it,
    a new key is made where the old one is kept: in the system's keyring, or in a file that only you can read.
    """
    from ringonce.service import vault

    store = _opened(database)
    try:
        if not os.environ.get(vault.VARIABLE, "").strip():
            vault.open_vault(store, os.environ)  # refuses before anything is changed, if the key is not the right one
            vault.add_key(os.environ)
        opened = vault.open_vault(store, os.environ)
        count = vault.rotate(store, opened)
    finally:
        store.close()
    say(f"sealed {count} secrets anew with key {opened.keys[0]}")
    return 0


@command.command()
@database
@answering
def check(*, database: str | None) -> int:
    """Say whether every secret can be opened with the keys that are set."""
    from ringonce.service import vault

    store = _opened(database)
    try:
        opened = vault.open_vault(store, os.environ)
        count = vault.check(store, opened)
    finally:
        store.close()
    say(f"all {count} secrets can be opened")
    return 0


def _opened(database: str | None) -> "Store":
    from ringonce import config
    from ringonce.service.store import Store

    return Store(database or f"sqlite:///{config.state_dir(os.environ) / 'service.db'}")
