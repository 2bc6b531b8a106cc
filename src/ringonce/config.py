"""Where to call, as whom, and how long to wait: read once at the door, then only handed on.

A flag beats an environment variable, which beats the default. An explicit address beats a region of the same rank.
"""

import collections.abc
import difflib
import functools
import ipaddress
import math
import re
import typing
import urllib.parse
from pathlib import Path

import msgspec

from ringonce.errors import ConfigError

REGIONS = {
    "us_east_1": "mypurecloud.com",
    "us_east_2": "use2.us-gov-pure.cloud",
    "us_west_2": "usw2.pure.cloud",
    "ca_central_1": "cac1.pure.cloud",
    "mx_central_1": "mxc1.pure.cloud",
    "sa_east_1": "sae1.pure.cloud",
    "eu_west_1": "mypurecloud.ie",
    "eu_west_2": "euw2.pure.cloud",
    "eu_central_1": "mypurecloud.de",
    "eu_central_2": "euc2.pure.cloud",
    "eusc_de_east_1": "edee1.eusc-pure.cloud",
    "ap_northeast_1": "mypurecloud.jp",
    "ap_northeast_2": "apne2.pure.cloud",
    "ap_northeast_3": "apne3.pure.cloud",
    "ap_south_1": "aps1.pure.cloud",
    "ap_southeast_1": "apse1.pure.cloud",
    "ap_southeast_2": "mypurecloud.com.au",
    "me_central_1": "mec1.pure.cloud",
}
"""Region id → domain; the API is `api.<domain>`, the login `login.<domain>` (the official SDK's list)."""

DEFAULT_REGION = "us_east_1"
SANDBOX_URL = "http://127.0.0.1:8080"
SANDBOX_CLIENT = ("your_client_id", "your_client_secret")
"""What the sandbox's default org knows; public, and of no use anywhere else."""


CREDENTIALS = ("client_id", "client_secret", "access_token", "login_client_id")
"""What is made of printable ASCII characters alone (RFC 6749, appendix A; RFC 6750, 2.1)."""

DEFAULT_REDIRECT = "http://127.0.0.1/callback"
"""Where the browser comes back to after a login; without a port, a free one is taken."""


class Endpoints(msgspec.Struct, frozen=True):
    """Two addresses without a trailing slash: paths begin with `/api/v2` on one and `/oauth` on the other."""

    api: str
    login: str

    @property
    def platform(self) -> str:
        """What the ledger knows the platform by: the API's address, with one name for this machine."""
        return _platform(self.api)


@functools.lru_cache(maxsize=64)
def _platform(api: str) -> str:
    parts = urllib.parse.urlsplit(api)
    if parts.hostname not in {"localhost", "::1"}:
        return api
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.scheme}://127.0.0.1{port}{parts.path}"


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Deadlines of one request, in seconds: to *connect*, to *read* on without a byte of the answer, and in *total*.

    A free connection is waited for until half of *total* is over. It is looked eight times within the shorter of
    *read* and *total*, so a wait may last that eighth longer.
    """

    connect: float = 5.0
    read: float = 10.0
    total: float = 15.0

    def __post_init__(self) -> None:
        """Refuse what is no deadline."""
        for name in self.__struct_fields__:
            seconds = getattr(self, name)
            number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
            if not (number and math.isfinite(seconds) and seconds > 0):
                raise ConfigError(
                    f"the {name} timeout cannot be {seconds!r}",
                    why="a request without a deadline can hang for ever",
                    fix="give a number of seconds above 0",
                )


def timeouts_of(given: object) -> Timeouts:
    """Give the timeouts that were given, or those that there are by default. Refuse what are none."""
    if isinstance(given, Timeouts):
        return given
    if given is None:
        return Timeouts()
    raise ConfigError(
        f"timeouts can't be {given!r}",
        why="they are the deadlines of one request, to connect, to read and in total",
        fix="give Timeouts(total=…), or leave it out for 15 s",
    )


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a setting is read from and what it means; `Settings` has one beside each field."""

    variable: str
    meaning: str
    secret: bool = False


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run needs to know. Empty means not given."""

    region: typing.Annotated[str, Source(variable="GENESYSCLOUD_REGION", meaning="region id, domain or API host")] = ""
    client_id: typing.Annotated[
        str, Source(variable="GENESYSCLOUD_OAUTHCLIENT_ID", meaning="OAuth client (client credentials)")
    ] = ""
    client_secret: typing.Annotated[
        str, Source(variable="GENESYSCLOUD_OAUTHCLIENT_SECRET", meaning="its secret", secret=True)
    ] = ""
    access_token: typing.Annotated[
        str, Source(variable="GENESYSCLOUD_ACCESS_TOKEN", meaning="a ready-made token; beats the client", secret=True)
    ] = ""
    base_url: typing.Annotated[
        str, Source(variable="RINGONCE_BASE_URL", meaning="address of a gateway or a sandbox; beats the region")
    ] = ""
    login_url: typing.Annotated[
        str, Source(variable="RINGONCE_LOGIN_URL", meaning="address of the login, where it is not beside the API")
    ] = ""
    country: typing.Annotated[
        str, Source(variable="RINGONCE_COUNTRY", meaning="country of numbers written without a country code")
    ] = "US"
    allow_http: typing.Annotated[
        str, Source(variable="RINGONCE_ALLOW_HTTP", meaning="1 allows plain http beyond this machine")
    ] = ""
    login_client_id: typing.Annotated[
        str, Source(variable="RINGONCE_LOGIN_CLIENT_ID", meaning="OAuth client (code with PKCE) of `ringonce login`")
    ] = ""
    redirect_uri: typing.Annotated[
        str, Source(variable="RINGONCE_REDIRECT_URI", meaning="where a login comes back to; without a port, a free one")
    ] = DEFAULT_REDIRECT
    secrets: typing.Annotated[
        str, Source(variable="RINGONCE_SECRETS", meaning="keyring or file; by default the keyring where there is one")
    ] = ""
    stored_login: str = ""
    """The name under which the refresh token of an earlier login is kept, if that is what calls are made with."""
    stored_login_of: str = ""
    """Whose login that is, in words."""
    notes: tuple[str, ...] = ()
    """What was set aside in favour of something else, one sentence each."""

    def __repr__(self) -> str:
        """Show what was given, never a secret."""
        given = [
            f"{name}={'…' if source.secret else repr(getattr(self, name))}"
            for name, source in sources().items()
            if getattr(self, name)
        ]
        return f"Settings({', '.join(given)})"

    @property
    def endpoints(self) -> Endpoints:
        """The addresses that these settings lead to."""
        allowed = self.allow_http.lower() in {"1", "true", "yes"}
        return resolve(self.region, self.base_url, self.login_url, allow_http=allowed)

    def with_credentials(self) -> "Settings":
        """Make sure that there is a token or a client; a sandbox on this machine has a public one."""
        if self.access_token or (self.client_id and self.client_secret):
            return self
        if not (self.client_id or self.client_secret) and is_loopback(self.endpoints.api):
            client_id, client_secret = SANDBOX_CLIENT
            return msgspec.structs.replace(self, client_id=client_id, client_secret=client_secret)
        of = {name: source.variable for name, source in sources().items()}
        missing = [of[name] for name in ("client_id", "client_secret") if not getattr(self, name)]
        raise ConfigError(
            "there are no credentials",
            why=f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set",
            fix=f"set {of['client_id']} and {of['client_secret']} (or {of['access_token']}), "
            f"or try it without an account: ringonce sandbox, then --base-url {SANDBOX_URL}",
        )


def sources() -> dict[str, Source]:
    """Give the source of each setting, by the setting's name."""
    hints = typing.get_type_hints(Settings, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items() if hasattr(hint, "__metadata__")}


def load(
    *,
    flags: collections.abc.Mapping[str, object],
    environ: collections.abc.Mapping[str, str],
    spelled: collections.abc.Callable[[str], str] = "the setting {}".format,
) -> Settings:
    """Read the settings once: *flags* by setting name (None: not given), then *environ*, then the defaults.

    *spelled* says how whoever gave a flag knows it.
    """
    known = sources()
    if unknown := flags.keys() - known.keys():
        raise ConfigError(f"unknown setting {min(unknown)!r}", fix=f"the settings are {', '.join(known)}")
    flagged = {name: str(value).strip() for name, value in flags.items() if value not in (None, "")}
    found: dict[str, str] = {
        name: text for name, source in known.items() if (text := environ.get(source.variable, "").strip())
    }
    for name, text in found.items():
        _check_text(known[name].variable, text, ascii_only=name in CREDENTIALS)
    for name, text in flagged.items():
        _check_text(spelled(name), text, ascii_only=name in CREDENTIALS)
    notes = []
    if "region" in flagged and "base_url" not in flagged and found.pop("base_url", ""):
        notes.append(f"{known['base_url'].variable} was set aside, since a region was asked for")
    found |= flagged
    if "region" in found and "base_url" in found:
        notes.append(f"the region {found['region']!r} was set aside, since a base URL was given")
    if "access_token" in found and found.keys() & {"client_id", "client_secret"}:
        notes.append(f"{known['access_token'].variable} is used, not the OAuth client")
    return Settings(**found, notes=tuple(notes))


def resolve(
    region: str | None, base_url: str | None, login_url: str | None = None, *, allow_http: bool = False
) -> Endpoints:
    """Find the addresses of *region* (id, domain or host) or of *base_url*, which wins; by default of us_east_1.

    Plain http is refused beyond this machine unless *allow_http*: tokens would travel in the clear.
    """
    login = _origin(login_url, "login URL", allow_http=allow_http) if login_url else ""
    if base_url:
        api = _origin(base_url, "base URL", allow_http=allow_http)
        # The official SDKs find the login the same way, so one address serves both.
        return Endpoints(api=api, login=login or re.sub(r"^(https?://)api\.", r"\1login.", api))
    domain = _domain(region or DEFAULT_REGION)
    return Endpoints(api=f"https://api.{domain}", login=login or f"https://login.{domain}")


def is_loopback(url: str) -> bool:
    """Say whether *url* stays on this machine."""
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def state_dir(environ: collections.abc.Mapping[str, str]) -> Path:
    """Give the folder where runs remember things for one another, made private to its owner if it is new."""
    import platformdirs

    chosen = environ.get("RINGONCE_STATE_DIR", "")
    try:
        path = Path(chosen).expanduser() if chosen else platformdirs.user_state_path("ringonce")
        if chosen.startswith("~") and not Path(Path(chosen).parts[0]).expanduser().is_dir():
            raise RuntimeError  # noqa: TRY301  as where there is no such user
    except RuntimeError as error:
        raise ConfigError(
            f"the state folder {chosen!r} cannot be found",
            why="its ~ stands for a home that there is not",
            fix="set RINGONCE_STATE_DIR to a whole path",
        ) from error
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"the state folder {str(path)!r} cannot be made",
            why=error.strerror or str(error),
            fix="set RINGONCE_STATE_DIR to a folder that you may write to",
        ) from error
    return path


def _check_text(name: str, text: str, *, ascii_only: bool) -> None:
    if text.isprintable() and (text.isascii() or not ascii_only):
        return
    raise ConfigError(
        f"{name} can't be used",
        why="it has characters that it cannot have"
        if text.isprintable()
        else "it has control characters, or bytes that are not UTF-8",
        fix="copy it once more from where it came from",
    )


def _domain(region: str) -> str:
    host = re.sub(r"^https?://|/+$", "", region.strip().lower())
    domain = re.sub(r"^(api|login|apps)\.", "", host)
    if found := REGIONS.get(host.replace("-", "_")):
        return found
    if domain in REGIONS.values():
        return domain
    names = [*REGIONS, *REGIONS.values()]
    near = difflib.get_close_matches(host.replace("-", "_"), names, n=3, cutoff=0.5)
    near += [name for name in difflib.get_close_matches(domain, names, n=3, cutoff=0.5) if name not in near]
    raise ConfigError(
        f"unknown region {region[:40]!r}",
        why="it is no region's id, domain or API host",
        fix=f"did you mean {' or '.join(near[:3])}?" if near else f"use one of {', '.join(REGIONS)}",
    )


def _origin(url: str, name: str, *, allow_http: bool) -> str:
    """Check an address and bring it to its plain form: scheme, host, port, path prefix."""
    shown = repr(re.sub(r"//.*@", "//…@", url)[:100])
    example = f"write it like https://api.mypurecloud.de or {SANDBOX_URL}"
    url = url.strip()
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigError(
            f"the {name} {shown} is no address", why="its host or port is malformed", fix=example
        ) from None
    if parts.scheme not in {"http", "https"}:
        raise ConfigError(f"the {name} {shown} is no web address", why="it needs http:// or https://", fix=example)
    if not parts.hostname or re.search(r"[\s\x00-\x1f\\]", url):
        raise ConfigError(f"the {name} {shown} is no address", why="it has no usable host", fix=example)
    if "@" in parts.netloc or parts.query or parts.fragment or "?" in url or "#" in url:
        raise ConfigError(
            f"the {name} {shown} cannot be used",
            why="it has a user, a query or a fragment",
            fix="give only scheme, host, port and path; credentials go into the environment variables",
        )
    if parts.scheme == "http" and not allow_http and not is_loopback(url):
        raise ConfigError(
            f"the {name} {shown} is not encrypted",
            why="the client's secret and every token would travel in the clear",
            fix="use https://, or set RINGONCE_ALLOW_HTTP=1 (allow_http=True) on a network that you trust",
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = re.sub(r"(/api/v2)?/*$", "", parts.path.rstrip("/"))
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}{'' if port in {None, usual} else f':{port}'}{path}"
