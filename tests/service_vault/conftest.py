import os
from collections.abc import Iterator

import pytest

from ringonce.service.store import Store
from ringonce.service.vault import KEY, Vault


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = Store(database)
    yield opened
    opened.close()


@pytest.fixture
def vault() -> Vault:
    return Vault([os.urandom(KEY)])
