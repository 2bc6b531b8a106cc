"""Settings are read once, from one list; an address that would leak a token or lead nowhere is refused in words."""

import stat
from pathlib import Path
from typing import Any

import pytest

from ringonce import config
from ringonce.config import Endpoints, Settings, Timeouts
from ringonce.errors import ConfigError

FRANKFURT = Endpoints(api="https://api.mypurecloud.de", login="https://login.mypurecloud.de")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("eu_central_1", id="by id"),
        pytest.param("eu-central-1", id="by id, with hyphens"),
        pytest.param("EU_CENTRAL_1", id="by id, in capitals"),
        pytest.param("mypurecloud.de", id="by domain"),
        pytest.param("api.mypurecloud.de", id="by API host"),
        pytest.param("https://api.mypurecloud.de/", id="by API address"),
        pytest.param("login.mypurecloud.de", id="by login host"),
    ],
)
def test_a_region_goes_by_several_names(name: str) -> None:
    assert config.resolve(name, None) == FRANKFURT


@pytest.mark.parametrize("region", config.REGIONS)
def test_every_region_has_an_api_and_a_login(region: str) -> None:
    endpoints = config.resolve(region, None)

    assert endpoints.api.startswith("https://api.")
    assert endpoints.login == endpoints.api.replace("//api.", "//login.")


def test_without_a_region_it_is_the_official_sdks_default() -> None:
    assert config.resolve(None, None).api == "https://api.mypurecloud.com"


@pytest.mark.parametrize(
    ("wrong", "near"), [("eu_central_3", "eu_central_"), ("mypurecloud.fr", "mypurecloud."), ("eu-west-9", "eu_west_")]
)
def test_an_unknown_region_names_its_neighbours(wrong: str, near: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.resolve(wrong, None)

    assert repr(wrong) in caught.value.what
    assert near in caught.value.fix


def test_a_region_like_no_other_names_them_all() -> None:
    with pytest.raises(ConfigError, match="us_east_1"):
        config.resolve("zzzzzz", None)


@pytest.mark.parametrize(
    ("given", "api", "login"),
    [
        pytest.param("http://127.0.0.1:8080", "http://127.0.0.1:8080", "http://127.0.0.1:8080", id="a sandbox"),
        pytest.param("http://[::1]:80/", "http://[::1]", "http://[::1]", id="a sandbox on IPv6"),
        pytest.param(
            "https://gw.example/genesys/", "https://gw.example/genesys", "https://gw.example/genesys", id="a gateway"
        ),
        pytest.param(
            "https://api.mypurecloud.de/api/v2/", FRANKFURT.api, FRANKFURT.login, id="the platform, copied whole"
        ),
        pytest.param(
            "https://your_org_id.mygen.com/api/v2",
            "https://your_org_id.mygen.com",
            "https://your_org_id.mygen.com",
            id="the tutorial's host",
        ),
        pytest.param("  HTTPS://GW.Example ", "https://gw.example", "https://gw.example", id="capitals and blanks"),
    ],
)
def test_a_base_url_is_brought_to_its_plain_form(given: str, api: str, login: str) -> None:
    assert config.resolve(None, given) == Endpoints(api=api, login=login)


def test_the_login_can_be_elsewhere() -> None:
    endpoints = config.resolve(None, "https://gw.example/api", "https://gw.example/login/")

    assert endpoints == Endpoints(api="https://gw.example/api", login="https://gw.example/login")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param("127.0.0.1:8080", "http://", id="no scheme"),
        pytest.param("ftp://gw.example", "http://", id="another scheme"),
        pytest.param("https://", "host", id="no host"),
        pytest.param("https://gw.example:http", "[Pp]ort", id="a port that is none"),
        pytest.param("https://gw.example:99999", "[Pp]ort", id="a port out of range"),
        pytest.param("https://gw .example", "host", id="a blank inside"),
        pytest.param("https://gw.example/?x=1", "query", id="a query"),
        pytest.param("https://gw.example/#x", "fragment", id="a fragment"),
        pytest.param("http://gw.example", "ALLOW_HTTP", id="a token in the clear"),
        pytest.param("http://127.0.0.1.evil.example", "ALLOW_HTTP", id="a host that looks like loopback"),
    ],
)
def test_a_base_url_that_cannot_be_used(given: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        config.resolve(None, given)

    assert caught.value.fix


@pytest.mark.parametrize("given", ["https://ada:hunter2@gw.example", "https://ada:hunter2/x@gw.example"])
def test_a_password_in_an_address_is_refused_and_not_shown(given: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.resolve(None, given)

    assert "hunter2" not in str(caught.value)


def test_plain_http_can_be_allowed_on_purpose() -> None:
    assert config.resolve(None, "http://gw.example", allow_http=True).api == "http://gw.example"
    settings = config.load(flags={}, environ={"RINGONCE_BASE_URL": "http://gw.example", "RINGONCE_ALLOW_HTTP": "1"})
    assert settings.endpoints.api == "http://gw.example"


def test_a_flag_beats_the_environment_which_beats_the_default() -> None:
    environ = {"RINGONCE_COUNTRY": "DE", "GENESYSCLOUD_REGION": "eu_west_1"}

    assert config.load(flags={}, environ={}).country == "US"
    assert config.load(flags={"country": None}, environ=environ).country == "DE"
    settings = config.load(flags={"country": "GB"}, environ=environ)
    assert (settings.country, settings.region) == ("GB", "eu_west_1")


def test_an_explicit_base_url_beats_the_region_and_says_so() -> None:
    environ = {"GENESYSCLOUD_REGION": "eu_central_1", "RINGONCE_BASE_URL": "http://127.0.0.1:8080"}

    settings = config.load(flags={}, environ=environ)

    assert settings.endpoints.api == "http://127.0.0.1:8080"
    assert "'eu_central_1' was set aside" in settings.notes[0]


def test_a_region_asked_for_by_flag_beats_a_base_url_left_in_the_environment() -> None:
    settings = config.load(flags={"region": "eu_central_1"}, environ={"RINGONCE_BASE_URL": "http://127.0.0.1:8080"})

    assert settings.endpoints == FRANKFURT
    assert "RINGONCE_BASE_URL was set aside" in settings.notes[0]


def test_a_setting_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="'colour'"):
        config.load(flags={"colour": "red"}, environ={})


def test_settings_never_show_a_secret() -> None:
    settings = Settings(client_id="app", client_secret="hunter2", access_token="t0ken")

    assert "hunter2" not in repr(settings)
    assert "t0ken" not in repr(settings)
    assert "app" in repr(settings)


def test_a_sandbox_on_this_machine_needs_no_account() -> None:
    settings = Settings(base_url="http://localhost:8080").with_credentials()

    assert (settings.client_id, settings.client_secret) == config.SANDBOX_CLIENT


def test_anywhere_else_missing_credentials_are_named() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings(region="eu_central_1").with_credentials()

    assert "GENESYSCLOUD_OAUTHCLIENT_ID and GENESYSCLOUD_OAUTHCLIENT_SECRET are not set" in caught.value.why


def test_half_a_client_is_not_completed_with_the_sandboxs() -> None:
    with pytest.raises(ConfigError, match="GENESYSCLOUD_OAUTHCLIENT_SECRET is not set"):
        Settings(base_url="http://localhost:8080", client_id="mine").with_credentials()


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), "5", None, True])
def test_a_timeout_is_a_number_of_seconds(seconds: Any) -> None:
    assert Timeouts(total=1.5).total == 1.5
    with pytest.raises(ConfigError, match="read timeout"):
        Timeouts(read=seconds)


def test_the_state_folder_is_private_and_made_when_asked_for(tmp_path: Path) -> None:
    path = config.state_dir({"RINGONCE_STATE_DIR": str(tmp_path / "deep" / "state")})

    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_state_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="RINGONCE_STATE_DIR"):
        config.state_dir({"RINGONCE_STATE_DIR": str(tmp_path / "file" / "state")})


def test_the_state_folder_is_not_made_in_a_home_that_there_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "gone"))

    with pytest.raises(ConfigError, match="a home that there is not"):
        config.state_dir({"RINGONCE_STATE_DIR": "~/state"})

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://127.0.0.1:8080", "http://localhost:8080"),
        ("http://127.0.0.1:8080/gateway", "http://[::1]:8080/gateway/"),
        ("https://api.mypurecloud.de", "HTTPS://API.MyPureCloud.de:443/"),
        ("http://127.0.0.1", "http://LOCALHOST:80"),
    ],
)
def test_two_spellings_of_an_address_are_one_platform(one: str, other: str) -> None:
    assert config.resolve(None, one).platform == config.resolve(None, other).platform


@pytest.mark.parametrize(
    "other",
    ["http://127.0.0.1:8081", "https://127.0.0.1:8080", "http://127.0.0.1:8080/gateway", "http://127.0.0.2:8080"],
)
def test_another_address_is_another_platform(other: str) -> None:
    assert config.resolve(None, other).platform != config.resolve(None, "http://localhost:8080").platform
