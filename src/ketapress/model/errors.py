"""What can be wrong, said so that a person can mend it.

A `Problem` is a value: bad input becomes one, and the rest goes on. An error stops what was asked for.
Both say what, where, why and what to do. Doors turn them into pages and exit codes; nothing below knows either.
"""

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How much a problem matters: an error needs a person, a warning only wants one to know."""

    ERROR = "error"
    WARNING = "warning"


class Problem(NamedTuple):
    """One thing that is wrong. `path` is relative to the publication folder, `line` counts from 1.

    `asks` marks a warning that a person has to answer before something can go on; every error does.
    """

    code: str
    message: str
    cure: str
    severity: Severity = Severity.ERROR
    path: str | None = None
    line: int | None = None
    needs_answer: bool = False

    @property
    def needs_person(self) -> bool:
        return self.needs_answer or self.severity is Severity.ERROR

    @property
    def where(self) -> str:
        """The place as an editor can click it: `posts/a.md:3`, `posts/a.md`, or nothing."""
        if self.path is None:
            return ""
        return self.path if self.line is None else f"{self.path}:{self.line}"

    def with_location(self, path: str, line: int | None = None) -> "Problem":
        """The same problem, placed; a line that is already known stays."""
        return self._replace(path=path, line=self.line if line is None else line)

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.message) if part) + f" {self.cure}".rstrip()


class KetapressError(Exception):
    """Something a person has to mend before what they asked for can be done. Carries at least one `Problem`."""

    def __init__(self, problem: Problem, *others: Problem) -> None:
        self.problems = (problem, *others)
        super().__init__("\n".join(map(str, self.problems)))


class ConfigurationError(KetapressError):
    """The settings cannot be used: file, line and key are named."""


class UsageError(KetapressError):
    """The words of a command are wrong: an unknown newsletter, an edition that is not there."""


class RefusedError(KetapressError):
    """Ketapress will not do it in this state: held by another process, a relay that would get dead links."""


class StoreError(KetapressError):
    """The database cannot be read or written: full disk, wrong version, gone."""


class RelayError(KetapressError):
    """The relay as a whole cannot be used: refused, no TLS, wrong password. No recipient's fault."""
