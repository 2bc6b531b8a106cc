import os

import pytest

from ringonce.service.vault import KEY, Vault


@pytest.fixture
def vault() -> Vault:
    return Vault([os.urandom(KEY)])
