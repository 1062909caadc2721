"""One transaction for the results and intents of all connections.

A message's end of data is authorized as soon as its intent is committed, together with every result before it. After a
failed commit nothing is authorized; results are kept, and written once more at the end. No relay is known here.
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

RENEWAL_SECONDS = 20.0  # a lease survives two renewals that fail


class GroupCommitter:
    """One worker's access to one edition's deliveries. Use it as an asynchronous context manager.

    The store is called by one thread, so that the connections work on while a commit waits for the disk; what they
    report meanwhile is the next transaction.
    """

    def __init__(
        self,
        deliveries: DeliveryStore,
        edition_id: int,
        worker: str,
        clock: Callable[[], datetime],
        on_commit: Callable[[Mapping[DeliveryState, int]], None],
        *,
        connections: int = 1,
        renewal_seconds: float = RENEWAL_SECONDS,
    ) -> None:
        """`on_commit` is called with the number of results in each state so far."""
        self._deliveries = deliveries
        self._edition_id = edition_id
        self._worker = worker
        self._clock = clock
        self._on_commit = on_commit
        self._small_group = connections // 4
        self._renewal_seconds = renewal_seconds
        self._renewal_task: asyncio.Task[None] | None = None
        self._db_thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._results: list[DeliveryResult] = []
        self._intents: dict[datetime, dict[int, asyncio.Future[bool]]] = {}
        """By Date and subscription: messages of one transaction share their Date."""
        self._commit_task: asyncio.Task[None] | None = None
        self._counts: Counter[DeliveryState] = Counter()
        self._errors: list[Exception] = []
        self.has_lost_lease = False

    @property
    def has_ended(self) -> bool:
        """Whether nothing is authorized any more: a commit failed, or other workers have the claimed deliveries."""
        return self.has_lost_lease or bool(self._errors)

    async def __aenter__(self) -> Self:
        self._renewal_task = asyncio.create_task(self._renew_lease())
        return self

    async def __aexit__(self, *error: object) -> None:
        """Write the remaining results and release claims. Raises StoreError for results that cannot be written."""
        if self._renewal_task is not None:
            self._renewal_task.cancel()
        try:
            await self._finish()
        finally:
            self._db_thread.shutdown()

    async def _renew_lease(self) -> None:
        """Renew the lease while the relay is slow. If that fails, the next commit fails too, and reports it."""
        while True:
            await asyncio.sleep(self._renewal_seconds)
            with suppress(StoreError):
                await self._run_in_db_thread(self._deliveries.renew_lease)

    async def claim(self, limit: int) -> tuple[Recipient, ...]:
        """Claim up to `limit` due deliveries; none if this has ended."""
        if self.has_ended:
            return ()
        try:
            return await self._run_in_db_thread(
                self._deliveries.claim, self._edition_id, limit, self._worker, self._clock()
            )
        except LeaseLostError:
            self.has_lost_lease = True
        except StoreError as error:
            self._errors.append(error)
        return ()

    async def count_messages_since(self, moment: datetime) -> int:
        """Return how many messages all workers have sent since then."""
        return await self._run_in_db_thread(self._deliveries.count_messages_since, moment)

    def record_result(self, result: DeliveryResult) -> None:
        """Add a result to the next transaction. A later `may_send` returns True only after it is committed."""
        self._results.append(result)
        self._counts[result.state] += 1

    async def may_send(self, subscription_id: int, date: datetime) -> bool:
        """Commit the intent to send a message with this Date. Return whether its end of data may be sent."""
        if self.has_ended:
            return False
        permission: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._intents.setdefault(date, {})[subscription_id] = permission
        if self._commit_task is None or self._commit_task.done():
            self._commit_task = asyncio.create_task(self._commit_intents())
        return await permission

    async def _commit_intents(self) -> None:
        while self._intents:
            if sum(map(len, self._intents.values())) < self._small_group:
                await asyncio.sleep(0)  # lets other connections join; to wait longer was slower
            date = next(iter(self._intents))
            permissions = self._intents.pop(date)
            committed = frozenset() if self.has_ended else await self._commit(permissions.keys(), date)
            for subscription_id, permission in permissions.items():
                if not permission.done():  # its task may have been cancelled
                    permission.set_result(subscription_id in committed)

    async def _commit(self, intents: Collection[int], now: datetime) -> frozenset[int]:
        """Commit these intents with all results so far. Return the intents that hold; none after an error."""
        results, self._results = self._results, []
        try:
            committed = await self._run_in_db_thread(
                self._deliveries.commit, self._edition_id, results=results, intents=intents, now=now
            )
        except LeaseLostError:
            self.has_lost_lease = True
            return frozenset()
        except Exception as error:  # noqa: BLE001 - nothing may be sent after any error; it is raised at the end
            self._errors.append(error)
            self._results = results + self._results
            return frozenset()
        self._counts[DeliveryState.SUPPRESSED] += len(intents) - len(committed)
        self._on_commit(self._counts)
        return committed

    async def _finish(self) -> None:
        if self._commit_task is not None:
            await self._commit_task
        if self._results:  # also after an error: the store may accept them now
            await self._commit((), self._clock())
        if not self._results:
            await self._run_in_db_thread(
                self._deliveries.release_claims, self._edition_id, self._worker, self._clock()
            )
        for error in self._errors:
            if not isinstance(error, StoreError):
                raise error
            file = ""
            if self._results:
                file = await self._run_in_db_thread(
                    self._deliveries.spill_results, self._edition_id, self._results
                )
            problems = (_unwritten_problem(result, file) for result in self._results)
            raise StoreError(*error.problems, *problems) from error

    async def _run_in_db_thread(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        call = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._db_thread, call)


def _unwritten_problem(result: DeliveryResult, file: str) -> Problem:
    reply = f", {result.reply}" if result.reply else ""
    return Problem(
        code="send.unwritten",
        message=f"the result of delivery {result.subscription_id} could not be written: {result.state}{reply}.",
        cure=f"It is stored in {file}: the next `ketapress send` writes it."
        if file
        else "It is in doubt: the next `ketapress send` treats it as `relay.in_doubt` says.",
    )
