"""The ledger, as many connections at once write in it: one transaction a turn for all of them.

In: results of finished messages, and intents of messages that wait before their dot. Out: leave to send the dot, once
the intent is durable together with every result that came before it. When a commit fails nobody gets leave any more;
what is known of finished messages is kept, and tried once more at the end. Never talks to a relay.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import ParamSpec, Self, TypeVar

from ketapress.deliver.protocols import DeliveryStore
from ketapress.model.delivery import DeliveryResult, DeliveryState, LeaseLostError, Recipient
from ketapress.model.errors import Problem, StoreError

_P = ParamSpec("_P")
_T = TypeVar("_T")


HEARTBEAT = 20.0
"""Seconds between two signs of life: a lease outlives two that were missed."""


class Turns:
    """One worker's access to one edition's deliveries. Use it as an asynchronous context manager.

    The ledger is spoken to by one thread of its own, so that connections go on while a commit waits for the disk;
    what they bring meanwhile makes up the next turn.
    """

    def __init__(
        self,
        ledger: DeliveryStore,
        edition_id: int,
        worker: str,
        clock: Callable[[], datetime],
        watch: Callable[[Mapping[DeliveryState, int]], None],
        *,
        lines: int = 1,
        heartbeat: float = HEARTBEAT,
    ) -> None:
        self._ledger = ledger
        self._edition_id = edition_id
        self._worker = worker
        self._clock = clock
        self._watch = watch
        self._few = lines // 4
        self._heartbeat = heartbeat
        self._heart: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._results: list[DeliveryResult] = []
        self._waiting: dict[datetime, dict[int, asyncio.Future[bool]]] = {}
        self._turning: asyncio.Task[None] | None = None
        self._done: Counter[DeliveryState] = Counter()
        self._faults: list[Exception] = []
        self.taken_over = False

    @property
    def over(self) -> bool:
        """Whether nobody gets leave any more: the ledger failed, or others have what was claimed here (`taken_over`)."""
        return self.taken_over or bool(self._faults)

    async def __aenter__(self) -> Self:
        self._heart = asyncio.create_task(self._beat())
        return self

    async def __aexit__(self, *error: object) -> None:
        """Writes what is known, and hands back what was claimed. Raises StoreError for what could not be written."""
        if self._heart is not None:
            self._heart.cancel()
        try:
            await self._ended()
        finally:
            self._thread.shutdown()

    async def _beat(self) -> None:
        """Keeps the lease while the relay lets us wait. If that fails, so does the next commit, and says why."""
        while True:
            await asyncio.sleep(self._heartbeat)
            with suppress(StoreError):
                await self._told(self._ledger.renew_lease)

    async def claimed(self, limit: int) -> tuple[Recipient, ...]:
        """Up to `limit` due deliveries, now ours; none when it is over."""
        if self.over:
            return ()
        try:
            return await self._told(self._ledger.claim, self._edition_id, limit, self._worker, self._clock())
        except LeaseLostError:
            self.taken_over = True
        except StoreError as fault:
            self._faults.append(fault)
        return ()

    async def begun_since(self, moment: datetime) -> int:
        """How many messages went out since then, as the whole ledger knows."""
        return await self._told(self._ledger.count_messages_since, moment)

    def settle(self, result: DeliveryResult) -> None:
        """Keeps a result for the next turn. Whoever asks for leave afterwards gets it only when this is written."""
        self._results.append(result)
        self._done[result.state] += 1

    async def leave(self, subscription_id: int, dated: datetime) -> bool:
        """Whether the dot of this message may go out; its Date is `dated`. False when it is over."""
        if self.over:
            return False
        leave: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(dated, {})[subscription_id] = leave
        if self._turning is None or self._turning.done():
            self._turning = asyncio.create_task(self._turn())
        return await leave

    async def _turn(self) -> None:
        """Commits until nobody waits any more. Messages of one transaction share their Date."""
        while self._waiting:
            if sum(map(len, self._waiting.values())) < self._few:
                await asyncio.sleep(0)  # few: whoever else is ready by now joins; waiting longer was slower
            dated = next(iter(self._waiting))
            asked = self._waiting.pop(dated)
            allowed = frozenset() if self.over else await self._committed(asked.keys(), dated)
            for subscription_id, leave in asked.items():
                if not leave.done():  # who asked may have been cancelled
                    leave.set_result(subscription_id in allowed)

    async def _committed(self, intents: Collection[int], now: datetime) -> frozenset[int]:
        """The intents that are durable now, with every result so far; none after a fault, and the results are kept."""
        results, self._results = self._results, []
        try:
            allowed = await self._told(
                self._ledger.commit, self._edition_id, results=results, intents=intents, now=now
            )
        except LeaseLostError:
            self.taken_over = True
            return frozenset()
        except Exception as fault:  # noqa: BLE001 - whatever it is, no dot goes out after it; it is raised at the end
            self._faults.append(fault)
            self._results = results + self._results
            return frozenset()
        self._done[DeliveryState.SUPPRESSED] += len(intents) - len(allowed)
        self._watch(self._done)
        return allowed

    async def _ended(self) -> None:
        if self._turning is not None:
            await self._turning
        if self._results:  # after a fault too: what is known may be written yet
            await self._committed((), self._clock())
        if not self._results:
            await self._told(self._ledger.release_claims, self._edition_id, self._worker, self._clock())
        for fault in self._faults:
            if not isinstance(fault, StoreError):
                raise fault
            kept = (
                await self._told(self._ledger.spill_results, self._edition_id, self._results)
                if self._results
                else ""
            )
            raise StoreError(*fault.problems, *(_unwritten(each, kept) for each in self._results)) from fault

    async def _told(self, what: Callable[_P, _T], *words: _P.args, **more: _P.kwargs) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(what, *words, **more))


def _unwritten(result: DeliveryResult, kept: str) -> Problem:
    return Problem(
        code="send.unwritten",
        message=f"what became of delivery {result.subscription_id} could not be written: {result.state}"
        f"{f', {result.reply}' if result.reply else ''}.",
        cure=f"It is kept in {kept}: the next `ketapress send` writes it."
        if kept
        else "It is in doubt until then: the next `ketapress send` treats it as `relay.in_doubt` says.",
    )
