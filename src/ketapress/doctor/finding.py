"""The result of one check."""

from enum import StrEnum
from typing import NamedTuple

from ketapress.model.errors import Problem, Severity


class Health(StrEnum):
    """The result of a check. `SKIPPED`: it could not be checked from here; the message says why."""

    OK = "well"
    WARNING = "warning"
    ERROR = "error"
    SKIPPED = "unseen"


_SEVERITIES = {Health.WARNING: Severity.WARNING, Health.ERROR: Severity.ERROR}


class Finding(NamedTuple):
    """One finding: `subject` is what was checked (`relay`, `spf example.org`), `cure` what to do about it."""

    subject: str
    health: Health
    message: str
    cure: str = ""

    @property
    def problem(self) -> Problem | None:
        """The finding as a problem of the command; None where nothing is wrong."""
        severity = _SEVERITIES.get(self.health)
        if severity is None:
            return None
        code = f"doctor.{self.subject.partition(' ')[0]}"
        return Problem(
            code=code, severity=severity, message=f"{self.subject}: {self.message}", cure=self.cure
        )


def ok(subject: str, message: str) -> Finding:
    return Finding(subject, Health.OK, message)


def warning(subject: str, message: str, cure: str) -> Finding:
    return Finding(subject, Health.WARNING, message, cure)


def error(subject: str, message: str, cure: str) -> Finding:
    return Finding(subject, Health.ERROR, message, cure)


def skipped(subject: str, message: str, cure: str = "") -> Finding:
    return Finding(subject, Health.SKIPPED, message, cure)
