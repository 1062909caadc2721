"""What the parts of one daemon share: the folder, the settings of this moment, a clock, a log, and the wish to end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Event

from ketapress.model.settings import Settings
from ketapress.publication import Publication
from ketapress.system.event_log import Log


@dataclass(slots=True)
class Ground:
    """`settings` are exchanged as a whole when they are read anew; a part takes them once for each piece of work."""

    root: Path
    environ: Mapping[str, str]
    settings: Settings
    log: Log
    clock: Callable[[], datetime]
    stop: Event = field(default_factory=Event)

    def publication(self) -> Publication:
        """The publication under the settings of this moment; the caller closes it."""
        return Publication(self.root, self.environ, self.settings)
