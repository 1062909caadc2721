"""Problems that a person can fix, and the errors that carry them.

A `Problem` is a value: bad input becomes one, and the rest goes on. An error ends the command. Both say what is wrong,
where, why, and what to do. Only entry points turn them into exit codes and pages.
"""

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """The severity of a problem: an error needs a person, a warning informs."""

    ERROR = "error"
    WARNING = "warning"


class Problem(NamedTuple):
    """One thing that is wrong. `path` is relative to the publication folder, `line` counts from 1.

    `needs_answer` marks a warning that a person has to answer before work can go on, as for every error.
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
        """The location in a form that editors can open: `posts/a.md:3`, `posts/a.md`, or empty."""
        if self.path is None:
            return ""
        return self.path if self.line is None else f"{self.path}:{self.line}"

    def with_location(self, path: str, line: int | None = None) -> "Problem":
        """Return the problem with this path; `line` replaces its own only where it is given."""
        return self._replace(path=path, line=self.line if line is None else line)

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.message) if part) + f" {self.cure}".rstrip()


class KetapressError(Exception):
    """An error that a person has to fix before the command can be done. Carries at least one `Problem`."""

    def __init__(self, problem: Problem, *others: Problem) -> None:
        self.problems = (problem, *others)
        super().__init__("\n".join(map(str, self.problems)))


class ConfigurationError(KetapressError):
    """The settings are invalid. The problems name file, line and key."""


class UsageError(KetapressError):
    """The arguments of a command are wrong: an unknown newsletter, an edition that does not exist."""


class RefusedError(KetapressError):
    """The command is refused in this state: another process holds the lock, or links in the mail would not work."""


class StoreError(KetapressError):
    """The database cannot be read or written: the disk is full, its version is wrong, or it is missing."""
