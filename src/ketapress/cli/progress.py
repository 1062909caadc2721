"""A progress bar on stderr while mail is sent: counts by state, rate, and time left."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress as ProgressDisplay,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from ketapress.deliver.report import Progress


class DeliveryBar:
    """One line per edition, updated by the sender."""

    def __init__(self) -> None:
        self._display = ProgressDisplay(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f}: {task.fields[counts]}"),
            _RateColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._display.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._display.stop()

    def update(self, progress: Progress) -> None:
        """Show the progress of an edition."""
        edition = progress.edition
        if edition not in self._tasks:
            self._tasks[edition] = self._display.add_task(edition, total=progress.total, counts="")
        counts = ", ".join(f"{count:,} {state}" for state, count in progress.counts.items() if count)
        self._display.update(self._tasks[edition], completed=sum(progress.counts.values()), counts=counts)


class _RateColumn(ProgressColumn):
    """Recent messages per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")
