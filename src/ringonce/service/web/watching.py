"""The doors for machines that watch the service: health, readiness, metrics, and the document of the API."""

from importlib.resources import files
from typing import Any

from litestar import get
from litestar.connection import Request
from litestar.response import Response

from ringonce.service import metrics
from ringonce.service.access import Role
from ringonce.service.web import document
from ringonce.service.web.desk import desk_of
from ringonce.service.web.health import Ready

Asked = Request[Any, Any, Any]
DOCS_POLICY = "default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; frame-ancestors 'none'"


@get("/healthz", sync_to_thread=False)
def healthz() -> dict[str, str]:
    """Say that the process answers; nothing else is looked at."""
    return {"status": "ok"}


@get("/readyz", opt={"role": Role.VIEWER})
async def readyz(request: Asked) -> Response[Ready]:
    """Say whether calls would be dialled: database, platform and worker. 503 if not."""
    found = await desk_of(request).health.ready()
    return Response(found, status_code=200 if found.ready else 503)


@get("/metrics", opt={"role": Role.VIEWER}, media_type="text/plain")
async def prometheus(request: Asked) -> Response[bytes]:
    """Give the metrics in Prometheus' text format."""
    desk = desk_of(request)
    told = await desk.house.store.look(metrics.page, desk.requests, desk.house.clock())
    return Response(told, media_type=metrics.MEDIA_TYPE)


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def openapi(request: Asked) -> dict[str, Any]:
    """Give the OpenAPI document."""
    return desk_of(request).document


@get("/docs", include_in_schema=False, sync_to_thread=False)
def docs() -> Response[bytes]:
    """Give a page that shows the OpenAPI document, and loads nothing from anywhere else."""
    page = files("ringonce.service.web").joinpath("docs.html").read_bytes()
    policy = DOCS_POLICY.format(script=document.hashed(page, b"script"), style=document.hashed(page, b"style"))
    return Response(page, media_type="text/html", headers={"Content-Security-Policy": policy})


DOORS: tuple[Any, ...] = (healthz, readyz, prometheus, openapi, docs)
