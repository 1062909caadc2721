"""What a tick of `ketapress run` does: publish what is due, send what is ready. Each tick is one command's work.

Settings, templates and posts are read anew at every tick, so an edit takes effect within seconds, and a broken one is
said once and waited out. Nothing that goes wrong in a tick ends the daemon.
"""

import signal
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

from ketapress.app import Publication
from ketapress.daemon.ticks import tick
from ketapress.model.errors import KetapressError, Problem, RefusedError

PARTS = ("schedule", "delivery")
Say = Callable[[str, Mapping[str, Any]], None]
"""Hears of an event and its fields; `message` is the field for people."""


class Daemon:
    """One publication, kept going. `say` may be called from several threads."""

    def __init__(self, root: Path, environ: Mapping[str, str], say: Say) -> None:
        self._root = root
        self._environ = environ
        self._say = say
        self._said: dict[str, frozenset[Problem]] = {}
        self._relay_rests_until = datetime.min.replace(tzinfo=UTC)
        self.stop = Event()

    def run(self, parts: Iterable[str]) -> None:
        """Ticks until SIGTERM or SIGINT, then lets what is in flight end. Call it on the main thread."""
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: self.stop.set())
        jobs = {"schedule": self.publish_due, "delivery": self.send_ready}
        tick({part: jobs[part] for part in parts}, self.stop, now=_now())

    def publish_due(self) -> None:
        """One tick of the schedule."""
        self._tick("schedule", self._publish)

    def send_ready(self) -> None:
        """One tick of delivery."""
        self._tick("delivery", self._send)

    def _tick(self, part: str, work: Callable[[Publication], Iterable[Problem]]) -> None:
        try:
            with closing(Publication(self._root, self._environ)) as publication:
                problems = frozenset(work(publication))
        except RefusedError:
            return  # a command of a person is at work; the next tick comes in seconds
        except KetapressError as error:
            problems = frozenset(error.problems)
        except OSError as error:
            problems = frozenset({_disk_problem(error)})
        for problem in sorted(problems - self._said.get(part, frozenset()), key=str):
            self._say(
                "problem", {"message": f"{problem} Trying again every few seconds.", "code": problem.code}
            )
        self._said[part] = problems

    def _publish(self, publication: Publication) -> Iterable[Problem]:
        now = _now()
        with publication.alone("publish"):
            library = publication.library(now, keep=True)
            composed, built = publication.publish(library, now, dry_run=False)
            publication.keep_read(library, now)
        for each in composed.editions:
            name, state = each.edition.slot.edition, str(each.state)
            message = f"{name} is composed and {state}{': ' + each.why if each.why else ''}."
            self._say("composed", {"message": message, "edition": name, "state": state})
        if built.written or built.removed:
            message = f"public/: {built.written} files written, {built.removed} removed."
            self._say("built", {"message": message, "written": built.written, "removed": built.removed})
        return (*library.problems, *composed.problems, *built.problems)

    def _send(self, publication: Publication) -> Iterable[Problem]:
        """Sends what is ready, unless the relay asked to be left alone: a password tried every few seconds locks accounts."""
        if _now() < self._relay_rests_until:
            return self._said.get("delivery", frozenset())
        with publication.alone("send"):
            reports = publication.send(_now, stop=self.stop.is_set)
        for each in reports:
            if each.problem and each.next_at:
                self._relay_rests_until = each.next_at
            if each.sent or each.failed or each.problem:
                message = (
                    f"{each.edition} is {each.state}: {each.sent} sent, {each.failed} failed. {each.note}"
                )
                self._say(
                    "sent", {"message": message.strip(), "edition": each.edition, "state": str(each.state)}
                )
        return [each.problem for each in reports if each.problem]


def _now() -> datetime:
    return datetime.now(UTC)


def _disk_problem(error: OSError) -> Problem:
    message = f"the system says: {error.strerror or error} ({error.filename})."
    return Problem(code="disk", message=message, cure="Make room or mend the rights there.")
