"""The log of `run`: text on a terminal, JSON elsewhere, and the next step in every warning."""

import io
import json
import logging
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ketapress.model.errors import Problem, Severity
from ketapress.system.event_log import Log
from support.factories import NOW

PROBLEM = Problem(
    code="posts.date",
    path="posts/a.md",
    line=3,
    message="it has no date.",
    cure="Write one.",
    severity=Severity.ERROR,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_where_nobody_watches_each_event_is_a_line_of_json() -> None:
    stream = io.StringIO()
    Log(stream, lambda: NOW).info("built", "public/: 3 files written.", written=3)
    assert lines(stream) == [
        {
            "at": "2023-06-12T09:00:00.000Z",
            "level": "info",
            "event": "built",
            "message": "public/: 3 files written.",
            "written": 3,
        }
    ]


def test_on_a_terminal_it_is_text_with_a_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    Log(stream, lambda: NOW).warning("relay", "It does not answer.", then="Trying again in a minute.")
    expected = (
        "2023-06-12 09:00:00Z \x1b[33mwarning\x1b[0m relay: It does not answer. Trying again in a minute.\n"
    )
    assert stream.getvalue() == expected


def test_no_colour_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    Log(stream, lambda: NOW).error("disk", "It is full.", then="Make room.")
    assert "\x1b" not in stream.getvalue()


def test_a_terminal_gets_json_when_it_asks_for_it() -> None:
    stream = Terminal()
    Log(stream, lambda: NOW, as_json=True).info("started", "Up.")
    assert lines(stream)[0]["event"] == "started"


def test_a_warning_says_what_happens_next() -> None:
    stream = io.StringIO()
    Log(stream, lambda: NOW).warning("relay", "It is down.", then="Trying again at 09:05.")
    assert lines(stream)[0]["then"] == "Trying again at 09:05."


def test_a_problem_keeps_its_place_and_its_cure() -> None:
    stream, terminal = io.StringIO(), Terminal()
    for output in (stream, terminal):
        Log(output, lambda: NOW).problem(PROBLEM, then="The other posts go on.")
    entry = lines(stream)[0]
    assert (entry["level"], entry["event"], entry["path"], entry["line"]) == (
        "error",
        "posts.date",
        "posts/a.md",
        3,
    )
    assert entry["cure"] == "Write one."
    assert "posts/a.md:3: it has no date. Write one. The other posts go on." in terminal.getvalue()


def test_libraries_are_heard_and_their_tracebacks_kept() -> None:
    stream = io.StringIO()
    library = logging.getLogger("ketapress-test-library")
    Log(stream, lambda: NOW).capture("ketapress-test-library")
    library.warning("odd: %s", "a thing")
    try:
        int("boom")
    except ValueError:
        library.exception("it fell over")
    warning, failure = lines(stream)
    assert (warning["level"], warning["message"]) == ("warning", "odd: a thing")
    assert warning["then"]
    assert "ValueError: " in failure["traceback"]


def test_a_log_that_cannot_be_written_stops_no_work() -> None:
    stream = io.StringIO()
    log = Log(stream, lambda: NOW)
    stream.close()
    log.info("built", "Nobody hears it.")


@given(st.text(), st.text())
def test_nothing_that_is_logged_makes_a_second_line_or_moves_a_cursor(message: str, field: str) -> None:
    stream, terminal = io.StringIO(), Terminal()
    for output in (stream, terminal):
        Log(output, lambda: NOW).info("event", message, field=field)
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().isascii()
    assert lines(stream)[0]["message"] == message
    body = terminal.getvalue().removesuffix("\n").replace("\x1b[2m", "").replace("\x1b[0m", "")
    assert body.isprintable()
