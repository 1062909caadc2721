"""The alarm of a process that stays up: it looks at what is wrong now, and tells a person what was not told before."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from threading import Lock

from ketapress.alerts.channels import run_command, send_message
from ketapress.alerts.message import alert_document, alert_message
from ketapress.alerts.policy import due, seen, told
from ketapress.alerts.state import read_memory, write_memory
from ketapress.model.errors import Problem
from ketapress.model.settings import Settings


class Alarm:
    """Of one publication folder. Safe to call from several threads; a call lasts a minute at the longest."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._memory = read_memory(root)
        self._lock = Lock()

    def look(self, settings: Settings, problems: Iterable[Problem], now: datetime) -> tuple[Problem, ...]:
        """Tells what is due, by command and by mail, and returns what was wrong with telling it. Never raises.

        `problems` is all that stands now, not only what is new; with neither `command` nor `email` it does nothing.
        """
        alerts = settings.alerts
        if not alerts.command and not alerts.email:
            return ()
        standing = tuple(problems)
        with self._lock:
            memory = seen(self._memory, standing, now)
            telling = due(memory, standing, alerts, now)
            if telling:
                memory = told(memory, telling, now)
            if memory != self._memory:
                self._memory = memory
                write_memory(self._root, memory)
        return _tell(settings, telling, now) if telling else ()


def _tell(settings: Settings, problems: tuple[Problem, ...], now: datetime) -> tuple[Problem, ...]:
    """Each way by itself: the mail goes out although the command failed, and the other way round."""
    title, alerts = settings.site.title, settings.alerts
    faults = []
    if alerts.command:
        faults.append(run_command(alerts.command, alert_document(title, problems, now)))
    senders = [each.sender for each in settings.newsletters.values()]
    if alerts.email and senders:
        message = alert_message(title, problems, senders[0], alerts.email, now)
        faults.append(send_message(settings.relay, senders[0].address, alerts.email, message))
    return tuple(fault for fault in faults if fault)
