"""The page for people: static files, served as they are and without anything from elsewhere."""

import base64
import hashlib
from importlib.resources import files
from typing import Any

import msgspec
from litestar import get
from litestar.connection import Request
from litestar.params import FromPath
from litestar.response import Response

from ringonce.service.web.problems import ProblemError

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
HOME = "index.html"


class File(msgspec.Struct, frozen=True):
    """One file of the page."""

    body: bytes
    kind: str
    tag: str
    """Its ETag: browsers keep the file and ask whether it is still the same."""


def _read() -> dict[str, File]:
    found = {}
    for entry in files(__name__).iterdir():
        kind = KINDS.get(entry.name.rpartition(".")[2])
        if kind:
            body = entry.read_bytes()
            tag = base64.urlsafe_b64encode(hashlib.sha256(body).digest()[:12]).decode()
            found[entry.name] = File(body, kind, f'"{tag}"')
    return found


FILES = _read()


@get("/", include_in_schema=False, sync_to_thread=False)
def home(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Give the page."""
    return _given(request, FILES[HOME])


@get("/page/{name:str}", include_in_schema=False, sync_to_thread=False)
def part(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Give one of the page's files."""
    if name not in FILES:
        raise ProblemError("not-found", f"The page has no file {name[:60]!r}")
    return _given(request, FILES[name])


def _given(request: Request[Any, Any, Any], file: File) -> Response[bytes]:
    headers = {"ETag": file.tag, "Cache-Control": "no-cache", "Content-Security-Policy": POLICY}
    if file.tag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=file.kind)
    return Response(file.body, headers=headers, media_type=file.kind)


DOORS: tuple[Any, ...] = (home, part)
