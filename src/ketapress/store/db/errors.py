"""Translate errors of the database drivers into problems, by the drivers' error codes.

Only errors of disk, network and configuration are translated. An invalid statement is a bug of Ketapress, and is
raised unchanged.
"""

import re
from typing import NamedTuple

from ketapress.model.errors import Problem


class _Cause(NamedTuple):
    """A problem's code, the cause in words, and the cure."""

    code: str
    description: str
    cure: str


_BUSY = _Cause(
    "store.busy",
    "another program has locked it for a minute",
    "Close the other program, then run the command again. Nothing was changed.",
)
_FULL = _Cause(
    "store.full",
    "its disk is full",
    "Free some space, then run the command again. The last step was rolled back; earlier steps are saved.",
)
_UNREADABLE = _Cause(
    "store.damaged",
    "it is damaged, or it is not a database",
    "Stop all programs that use it, then restore the last backup with `ketapress db restore FILE`. The damaged file is kept.",
)
_UNREACHABLE = _Cause(
    "store.unreachable",
    "its server does not respond, or closed the connection",
    "Check that PostgreSQL runs and that `database.url` is correct, then run the command again.",
)
_UNKNOWN = _Cause("store.fault", "it cannot be used", "Fix the cause above. The last step changed nothing.")

# By SQLite's primary result codes: https://sqlite.org/rescode.html
_SQLITE = {
    "BUSY": _BUSY,
    "LOCKED": _BUSY,
    "FULL": _FULL,
    "NOTADB": _UNREADABLE,
    "CORRUPT": _UNREADABLE,
    "READONLY": _Cause(
        "store.read-only",
        "it is read-only",
        "Make the file and its folder writable for the user who runs Ketapress.",
    ),
    "CANTOPEN": _Cause(
        "store.missing",
        "it cannot be opened",
        "Check that its folder exists and is writable, and that `database.url` is correct.",
    ),
    "IOERR": _Cause(
        "store.disk",
        "its disk reports an error",
        "Check the system log and the free disk space, then run the command again. The last step was rolled back.",
    ),
}

# By classes of SQLSTATE: PostgreSQL's manual, appendix A.
_POSTGRESQL = {
    "08": _UNREACHABLE,
    "28": _Cause("store.refused", "its server rejects the user or the password", "Correct `database.url`."),
    "3D": _Cause("store.missing", "it does not exist on its server", "Create it, or correct `database.url`."),
    "40": _Cause(
        "store.conflict",
        "another process changed the same rows",
        "Run the command again. The last step was rolled back.",
    ),
    "53": _Cause(
        "store.full",
        "its server is out of disk space, memory or connections",
        "Free resources on the server, then run the command again. The last step was rolled back.",
    ),
    "57": _UNREACHABLE,
    "58": _Cause("store.disk", "its server reports a system error", "Check the server's log."),
}

_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@\s]*@|\b(password=)\S+")


def to_problem(error: Exception, display_url: str) -> Problem | None:
    """Return the problem for an error of the driver, or of SQLAlchemy around it; None if a person cannot fix it.

    `display_url` is the URL of the database without its password.
    """
    driver_error = getattr(error, "orig", error)
    cause = _find_cause(error, driver_error)
    if cause is None:
        return None
    driver_text = _PASSWORD.sub(r"\1\2***", " ".join(str(driver_error).split()))
    return Problem(
        code=cause.code,
        message=f"the database {display_url}: {cause.description} ({driver_text[:300]}).",
        cure=cause.cure,
    )


def _find_cause(error: Exception, driver_error: object) -> _Cause | None:
    """Return the cause by SQLite's error name or PostgreSQL's SQLSTATE; None for an error that a person cannot fix."""
    sqlite_name = getattr(driver_error, "sqlite_errorname", None)
    if sqlite_name is not None:
        return _SQLITE.get(sqlite_name.removeprefix("SQLITE_").partition("_")[0])
    # PEP 249 gives every driver this name for errors of its environment.
    if not any(error_class.__name__ == "OperationalError" for error_class in type(error).__mro__):
        return None
    sqlstate = getattr(driver_error, "sqlstate", None)
    # Without a SQLSTATE the server was not reached, or the connection was lost.
    return _POSTGRESQL.get(sqlstate[:2], _UNKNOWN) if sqlstate else _UNREACHABLE
