"""What the database complained about, put into words: cause and cure for a person, by the driver's own codes.

Pure: an exception goes in, a `Problem` comes out, or None for what is no fault of disk, network or configuration.
A statement that the database does not understand is ours to mend, and passes through untouched.
"""

import re
from typing import NamedTuple

from ketapress.model.errors import Problem


class _Cause(NamedTuple):
    code: str
    description: str
    cure: str


_BUSY = _Cause(
    "store.busy",
    "another program has kept it locked for a minute",
    "Close whatever has the database open, and run the command again; nothing was changed.",
)
_FULL = _Cause(
    "store.full",
    "its disk is full",
    "Free some space and run the command again; what was done before is kept, the last step was undone.",
)
_UNREADABLE = _Cause(
    "store.damaged",
    "it is damaged, or it is no database at all",
    "End what has it open, then put the last backup in its place: `ketapress db restore FILE`. The damaged one stays beside it.",
)
_UNREACHABLE = _Cause(
    "store.unreachable",
    "its server does not answer, or broke off",
    "Look whether PostgreSQL runs and `database.url` is right, then run the command again.",
)
_UNKNOWN = _Cause(
    "store.fault", "it cannot be used", "Look at the cause above; nothing was changed by the last step."
)

# By SQLite's primary result codes: https://sqlite.org/rescode.html
_SQLITE = {
    "BUSY": _BUSY,
    "LOCKED": _BUSY,
    "FULL": _FULL,
    "NOTADB": _UNREADABLE,
    "CORRUPT": _UNREADABLE,
    "READONLY": _Cause(
        "store.read-only",
        "it may not be written to",
        "Make the file, and the folder it is in, writable for the user who runs Ketapress.",
    ),
    "CANTOPEN": _Cause(
        "store.missing",
        "it cannot be opened",
        "Look whether its folder exists and may be written to, and whether `database.url` names the right place.",
    ),
    "IOERR": _Cause(
        "store.disk",
        "its disk reports an error",
        "Look at the system's log and the disk's space, then run the command again; the last step was undone.",
    ),
}

# By classes of SQLSTATE: PostgreSQL's manual, appendix A.
_POSTGRESQL = {
    "08": _UNREACHABLE,
    "28": _Cause("store.refused", "its server refuses the user or the password", "Correct `database.url`."),
    "3D": _Cause("store.missing", "there is no such database", "Create it, or correct `database.url`."),
    "40": _Cause(
        "store.conflict",
        "another process worked on the same rows",
        "Run the command again; the last step was undone.",
    ),
    "53": _Cause(
        "store.full",
        "its server has no disk, memory or connections left",
        "Give the server room, then run the command again; the last step was undone.",
    ),
    "57": _UNREACHABLE,
    "58": _Cause("store.disk", "its server reports a fault of its system", "Look at the server's log."),
}

_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@\s]*@|\b(password=)\S+")


def to_problem(error: Exception, display_url: str) -> Problem | None:
    """What to tell a person, if a person can do something about it. `where` is the database's URL without password.

    `error` is the driver's own, or SQLAlchemy's around it.
    """
    driver_error = getattr(error, "orig", error)
    cause = _find_cause(error, driver_error)
    if cause is None:
        return None
    driver_text = _PASSWORD.sub(r"\1\2***", " ".join(str(driver_error).split()))
    return Problem(
        code=cause.code,
        message=f"the database {display_url}: {cause.description} (it says: {driver_text[:300]}).",
        cure=cause.cure,
    )


def _find_cause(error: Exception, driver_error: object) -> _Cause | None:
    sqlite_name = getattr(driver_error, "sqlite_errorname", None)
    if sqlite_name is not None:
        primary_code = sqlite_name.removeprefix("SQLITE_").partition("_")[0]
        return _SQLITE.get(primary_code)
    if not any(
        error_class.__name__ == "OperationalError" for error_class in type(error).__mro__
    ):  # so named by PEP 249
        return None
    sqlstate = getattr(driver_error, "sqlstate", None)
    # Without a state the server was never reached, or was lost in the middle of an answer.
    return _POSTGRESQL.get(sqlstate[:2], _UNKNOWN) if sqlstate else _UNREACHABLE
