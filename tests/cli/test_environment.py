"""A broken environment is a set-up error in words."""

import pytest

from ringonce.cli.door import settings_of
from ringonce.config import state_dir
from ringonce.errors import ConfigError


@pytest.mark.parametrize(
    "variable",
    ["GENESYSCLOUD_OAUTHCLIENT_ID", "GENESYSCLOUD_OAUTHCLIENT_SECRET", "GENESYSCLOUD_ACCESS_TOKEN", "RINGONCE_COUNTRY"],
)
@pytest.mark.parametrize("text", ["se\udcffcret", "se\x1bcret"])
def test_a_variable_that_is_no_text_is_named_and_not_shown(variable: str, text: str) -> None:
    with pytest.raises(ConfigError, match=variable) as caught:
        settings_of({variable: text, "RINGONCE_BASE_URL": "http://127.0.0.1:1"})

    assert "cret" not in str(caught.value)


def test_a_secret_that_no_header_can_carry_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot have"):
        settings_of({"GENESYSCLOUD_ACCESS_TOKEN": "tökén", "RINGONCE_BASE_URL": "http://127.0.0.1:1"})


def test_a_state_folder_in_the_home_of_nobody() -> None:
    with pytest.raises(ConfigError, match="nosuchuser"):
        state_dir({"RINGONCE_STATE_DIR": "~nosuchuser/x"})
