"""The notifier of a long-running process: it sends alerts about problems that are new or persist."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from threading import Lock

from ketapress.alerts.channels import run_command, send_message
from ketapress.alerts.message import build_alert_message, format_alert
from ketapress.alerts.policy import due_problems, mark_notified, update_states
from ketapress.alerts.state import load_states, save_states
from ketapress.model.errors import Problem
from ketapress.model.settings import Settings


class Notifier:
    """Sends the alerts of one publication folder. Thread-safe; a call takes at most a minute."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._states = load_states(root)
        self._lock = Lock()

    def notify(self, settings: Settings, problems: Iterable[Problem], now: datetime) -> tuple[Problem, ...]:
        """Send the alerts that are due, by command and by mail, and return the failures to send them. Never raises.

        `problems` are all current problems, not only new ones. Without `alerts.command` and `alerts.email` nothing is sent.
        """
        alerts = settings.alerts
        if not alerts.command and not alerts.email:
            return ()
        current = tuple(problems)
        with self._lock:
            states = update_states(self._states, current, now)
            pending = due_problems(states, current, alerts, now)
            if pending:
                states = mark_notified(states, pending, now)
            if states != self._states:
                self._states = states
                save_states(self._root, states)
        return _send_alerts(settings, pending, now) if pending else ()


def _send_alerts(settings: Settings, problems: tuple[Problem, ...], now: datetime) -> tuple[Problem, ...]:
    """Send the alert on each channel; a failure of one does not keep the other from being used."""
    title, alerts = settings.site.title, settings.alerts
    failures = []
    if alerts.command:
        failures.append(run_command(alerts.command, format_alert(title, problems, now)))
    senders = [newsletter.sender for newsletter in settings.newsletters.values()]
    if alerts.email and senders:
        message = build_alert_message(title, problems, senders[0], alerts.email, now)
        failures.append(send_message(settings.relay, senders[0].address, alerts.email, message))
    return tuple(failure for failure in failures if failure)
