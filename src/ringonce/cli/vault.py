"""`ringonce vault`: the key under which the service keeps agents' refresh tokens and webhooks' secrets."""

import os

import click

from ringonce.cli.database import address, database_or_sandbox, opened
from ringonce.cli.options import answering
from ringonce.cli.words import say


@click.group(short_help="Change the key under which agents' refresh tokens are kept.")
def command() -> None:
    """Change or check the key under which the service keeps agents' refresh tokens and webhooks' secrets."""


@command.command()
@database_or_sandbox
@answering
def rotate(*, database: str | None) -> int:
    """Seal everything anew, with the first key; the others can go then.

    With RINGONCE_VAULT_KEY, put the new key in front of the old one first, for every server and worker. Without it,
    a new key is made where the old one is kept: in the system's keyring, or in a file that only you can read.
    """
    from ringonce.service import vault

    with opened(address(database, os.environ)) as store:
        if not os.environ.get(vault.VARIABLE, "").strip():
            vault.open_vault(store, os.environ)  # refuses before anything is changed, if the key is not the right one
            vault.add_key(os.environ)
        keys = vault.open_vault(store, os.environ)
        count = vault.rotate(store, keys)
    say(f"sealed {count} secrets anew with key {keys.keys[0]}")
    return 0


@command.command()
@database_or_sandbox
@answering
def check(*, database: str | None) -> int:
    """Say whether every secret can be opened with the keys that are set."""
    from ringonce.service import vault

    with opened(address(database, os.environ)) as store:
        count = vault.check(store, vault.open_vault(store, os.environ))
    say(f"all {count} secrets can be opened")
    return 0
