"""A bar on a terminal while mail goes out: sent, deferred, failed, rate, time left."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress as Bar,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from ketapress.deliver.report import Progress


class DeliveryBar:
    """One line for each edition, on stderr; it listens to the sender."""

    def __init__(self) -> None:
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f}: {task.fields[told]}"),
            _Rate(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, progress: Progress) -> None:
        """Takes in how far an edition is."""
        if progress.edition not in self._tasks:
            self._tasks[progress.edition] = self._bar.add_task(
                progress.edition, total=progress.total, told=""
            )
        told = ", ".join(f"{count:,} {state}" for state, count in progress.done.items() if count)
        self._bar.update(self._tasks[progress.edition], completed=sum(progress.done.values()), told=told)


class _Rate(ProgressColumn):
    """Messages a second, of late."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")
