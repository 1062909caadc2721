"""The log of a long-running process: lines of text on a terminal, lines of JSON everywhere else.

An event has a time, a level, a name, a sentence and, where something is wrong, the next step. Logging never raises and
does not buffer:

    log = Log(sys.stderr, clock)
    log.info("built", "public/: 3 files written.", written=3)
    log.warning("relay", "smtp://localhost:25 does not answer.", then="The next attempt is at 08:05; nothing is lost.")
    log.problem(problem, then="The next check is in 15 seconds.")

`log.capture("uvicorn.error")` takes over what a library writes to `logging`.
"""

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from threading import Lock
from typing import Any, TextIO

from ketapress.model.errors import Problem, Severity


class Level(StrEnum):
    """The level of an event: an error needs a person; a warning resolves itself or can wait."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_COLORS = {
    Level.INFO: "2",
    Level.WARNING: "33",
    Level.ERROR: "1;31",
}  # SGR of ECMA-48: faint, yellow, bold red
_LEVELS = {Severity.WARNING: Level.WARNING, Severity.ERROR: Level.ERROR}
_LIBRARY_NEXT_STEP = "Ketapress goes on, and tries again where that helps."


class Log:
    """Writes events to one stream. Thread-safe; a stream that was closed is ignored."""

    def __init__(self, stream: TextIO, clock: Callable[[], datetime], *, as_json: bool | None = None) -> None:
        is_terminal = stream.isatty()
        self._stream = stream
        self._clock = clock
        self._as_json = not is_terminal if as_json is None else as_json
        self._use_color = is_terminal and not os.environ.get("NO_COLOR")
        self._lock = Lock()

    def info(self, event: str, message: str, **fields: Any) -> None:
        """Log that something was done. `event` is one word for scripts, `message` a sentence for people."""
        self._write(Level.INFO, event, message, "", fields)

    def warning(self, event: str, message: str, *, then: str, **fields: Any) -> None:
        """Log something wrong that resolves itself or can wait; `then` says what happens next."""
        self._write(Level.WARNING, event, message, then, fields)

    def error(self, event: str, message: str, *, then: str, **fields: Any) -> None:
        """Log something wrong that needs a person; `then` says what happens next, and what to do."""
        self._write(Level.ERROR, event, message, then, fields)

    def problem(self, problem: Problem, *, then: str) -> None:
        """Log a problem with its location and its cure."""
        location = {"path": problem.path, "line": problem.line} if problem.path else {}
        level = Level.ERROR if problem.needs_person else _LEVELS[problem.severity]
        text = f"{problem.where}: {problem.message}" if problem.path else problem.message
        self._write(level, problem.code, text, then, {"cure": problem.cure, **location})

    def capture(self, *loggers: str) -> None:
        """Redirect these loggers of the standard library's `logging` to this log."""
        for name in loggers:
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = [_LogHandler(self)], False

    def _write(self, level: Level, event: str, message: str, then: str, fields: Mapping[str, Any]) -> None:
        moment = self._clock().astimezone(UTC)
        line = (
            _json_line(moment, level, event, message, then, fields)
            if self._as_json
            else _text_line(moment, level, event, message, then, fields, use_color=self._use_color)
        )
        try:
            with self._lock:
                self._stream.write(line + "\n")
                self._stream.flush()
        except (OSError, ValueError):  # the reader has gone, or the disk is full: the work goes on
            return


class _LogHandler(logging.Handler):
    """Passes the records of a library on. Tracebacks become a field for scripts, and indented lines for people."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        fields = (
            {"traceback": "".join(traceback.format_exception(*record.exc_info))} if record.exc_info else {}
        )
        if record.levelno >= logging.ERROR:
            self._log.error(record.name, record.getMessage(), then=_LIBRARY_NEXT_STEP, **fields)
        elif record.levelno >= logging.WARNING:
            self._log.warning(record.name, record.getMessage(), then=_LIBRARY_NEXT_STEP, **fields)
        else:
            self._log.info(record.name, record.getMessage(), **fields)


def standard_log(clock: Callable[[], datetime], *, as_json: bool) -> Log:
    """Return the log of a command: on stdout with `--json`, otherwise on stderr."""
    return Log(sys.stdout, clock, as_json=True) if as_json else Log(sys.stderr, clock)


def _json_line(
    moment: datetime, level: Level, event: str, message: str, then: str, fields: Mapping[str, Any]
) -> str:
    """Format one JSON object. Extra fields never replace the fixed ones; `then` is present where something is wrong."""
    document = {
        "at": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z",
        "level": level,
        "event": event,
    }
    document["message"] = message
    if then:
        document["then"] = then
    return json.dumps({**document, **fields, **document}, default=str)


def _text_line(
    moment: datetime,
    level: Level,
    event: str,
    message: str,
    then: str,
    fields: Mapping[str, Any],
    *,
    use_color: bool,
) -> str:
    """Format one line, and a library's traceback indented below it."""
    name = f"\x1b[{_COLORS[level]}m{level}\x1b[0m" if use_color else str(level)
    text = " ".join(part for part in (message, fields.get("cure", ""), then) if part)
    line = f"{moment:%Y-%m-%d %H:%M:%SZ} {name} {escape_unprintable(event)}: {escape_unprintable(text)}"
    traceback_lines = str(fields.get("traceback", "")).splitlines()
    return "\n".join(
        [line, *(f"    {escape_unprintable(traceback_line)}" for traceback_line in traceback_lines)]
    )


def escape_unprintable(text: str) -> str:
    """Escape characters that could move the cursor, change colors or direction, or start a line of their own."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)
