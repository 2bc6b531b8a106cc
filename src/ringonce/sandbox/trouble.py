"""The sandbox's one error: what is wrong, why, and what to do about it."""

import json


class SandboxError(Exception):
    """The sandbox cannot do as asked; nothing was changed."""

    def __init__(self, what: str, *, why: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what}: {self.why}. {self.fix}"

    def __reduce__(self) -> tuple[object, ...]:
        # Test runners hand errors between processes by pickle, which calls the class with its args alone.
        return _rebuild, (type(self), self.what, self.why, self.fix)

    def as_json(self) -> dict[str, str]:
        """Give the body that `/_sandbox/*` answers with."""
        return {"what": self.what, "why": self.why, "fix": self.fix}


class NotThereError(SandboxError):
    """The thing that was named does not exist (answered as 404)."""


def said(value: object) -> str:
    """What somebody sent, as they wrote it: JSON has no None and no True."""
    return repr(value) if isinstance(value, str) else json.dumps(value, default=repr)


def plain(value: float) -> str:
    """A number without powers of ten."""
    return f"{value:.15g}"


def _rebuild(kind: type[SandboxError], what: str, why: str, fix: str) -> SandboxError:
    return kind(what, why=why, fix=fix)
