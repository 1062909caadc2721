"""What the jobs of one daemon share."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Event

from ketapress.model.errors import Problem
from ketapress.model.settings import Settings
from ketapress.publication import Publication
from ketapress.system.event_log import Log

Job = Callable[[], Iterable[Problem]]
"""One run of a job. Returns all current problems; raises KetapressError where the work could not be done."""


@dataclass(slots=True)
class DaemonContext:
    """The folder, the current settings, the clock, the log, and the event that ends the daemon.

    A reload replaces `settings`; a job reads them once in each run.
    """

    root: Path
    environ: Mapping[str, str]
    settings: Settings
    log: Log
    clock: Callable[[], datetime]
    stop: Event = field(default_factory=Event)

    def open_publication(self) -> Publication:
        """Return the publication with the current settings; the caller closes it."""
        return Publication(self.root, self.environ, self.settings)
