"""Fixtures of the client's tests."""

import pytest

from simulated import Simulated


@pytest.fixture
def simulated() -> Simulated:
    """A client on a world of its own."""
    return Simulated()
