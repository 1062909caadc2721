"""For tests of several senders: `ketapress send` in processes on one PostgreSQL, each with its own folder and relay."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from ketapress.model.delivery import DeliveryState
from ketapress.store.db.codes import delivery_code
from ketapress.store.store import Store, open_store
from ketapress.testing import ScriptedRelay
from support.delivery_fixture import DeliveryFixture
from support.factories import TOML
from support.postgresql import administer

_TOML = """
[database]
url = "{url}"

[relay]
url = "smtp://127.0.0.1:{port}"
connections = {connections}
in_doubt = "{in_doubt}"

[web]
secret = "{secret}"
"""
_REGISTRY = '{"schema": 1, "first_built": "2023-06-05T00:00:00Z"}\n'


@dataclass
class SenderProcesses:
    """A database with a ready edition, and a folder and a relay for each sender."""

    url: str
    store: Store
    edition_id: int
    folders: list[Path]
    relays: list[ScriptedRelay]
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, sender: int, *args: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "ketapress", "-C", str(self.folders[sender]), *args]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def read_result(self, process: subprocess.Popen[str]) -> Any:
        """Wait for a command and return its JSON result; its exit code must be 0 or 1."""
        stdout, stderr = process.communicate(timeout=60)
        assert process.returncode in {0, 1}, (process.returncode, stdout, stderr)
        return json.loads(stdout)["result"]

    def addresses(self, state: DeliveryState) -> set[str]:
        deliveries = self.store.deliveries.iter_deliveries(self.edition_id, state)
        return {delivery.address for delivery in deliveries}

    def count_messages(self) -> Counter[str]:
        """Return the number of messages that each recipient got."""
        return Counter(message.recipient for relay in self.relays for message in relay.messages)

    def assert_repeats_are_the_same_to_the_byte(self) -> None:
        contents: dict[str, set[bytes]] = {}
        for relay in self.relays:
            for message in relay.messages:
                contents.setdefault(message.recipient, set()).add(message.message)
        assert all(len(messages) == 1 for messages in contents.values())

    def expire_lease(self, worker: int) -> None:
        """End the lease of a worker, and a transaction that it left open, as after a minute of silence."""
        self.wait_until(
            "state = 'active'", count=0
        )  # the server still executes the last request of a stopped process
        with self.store._transactions.write() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND state LIKE 'idle in transaction%%' AND pid <> pg_backend_pid()"
            )
        self.wait_until("state LIKE 'idle in transaction%%'", count=0)
        with self.store._transactions.write() as connection:
            connection.exec_driver_sql(f"UPDATE workers SET lease_until = 0 WHERE id = {worker}")

    def sending_addresses(self, worker: int) -> set[str]:
        """Return the recipients whose end of data this worker may have sent."""
        with self.store._transactions.read() as connection:
            query = "SELECT subscription_id FROM deliveries WHERE worker_id = %s AND state = %s"
            result = connection.exec_driver_sql(query, (worker, delivery_code(DeliveryState.SENDING)))
            subscription_ids = set(result.scalars())
        deliveries = self.store.deliveries.iter_deliveries(self.edition_id, DeliveryState.SENDING)
        return {delivery.address for delivery in deliveries if delivery.subscription_id in subscription_ids}

    def wait_until(self, activity: str, count: int = 1) -> None:
        """Wait until so many other connections to this database are in that state, as the server reports it."""
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            f"AND pid <> pg_backend_pid() AND {activity}"
        )
        for _ in range(3000):
            with self.store._transactions.read() as connection:
                if connection.exec_driver_sql(query).scalar_one() == count:
                    return
                connection.exec_driver_sql("SELECT pg_sleep(0.01)")
        raise AssertionError(f"there were never {count} connections with {activity}")

    def worker_ids(self) -> list[int]:
        with self.store._transactions.read() as connection:
            return list(connection.exec_driver_sql("SELECT id FROM workers ORDER BY id").scalars())


@contextmanager
def open_senders(
    server: URL,
    root: Path,
    name: str,
    readers: Sequence[str],
    *,
    senders: int,
    connections: int,
    in_doubt: str,
) -> Iterator[SenderProcesses]:
    """Create a database. At the end all processes are killed, and the invariants of the store checked."""
    administer(server, f"CREATE DATABASE {name}")
    url = server.set(database=name).render_as_string(hide_password=False)
    with ExitStack() as stack:
        store = stack.enter_context(open_store(url, root))
        relays = [stack.enter_context(ScriptedRelay()) for _ in range(senders)]
        folders = [root / str(number) for number in range(senders)]
        for folder, relay in zip(folders, relays, strict=True):
            (folder / "posts").mkdir(parents=True)
            (folder / "posts" / ".published.jsonl").write_text(_REGISTRY)
            toml = _TOML.format(
                url=url, port=relay.port, connections=connections, in_doubt=in_doubt, secret="s" * 32
            )
            (folder / "ketapress.toml").write_text(TOML + toml)
        delivery = DeliveryFixture(store, relays[0], root)
        delivery.subscribe(*readers)
        processes = SenderProcesses(url, store, delivery.add_edition(send_deadline=None), folders, relays)
        yield processes
        for process in processes.processes:
            if process.poll() is None:
                process.kill()  # also one that is stopped
            process.communicate()
        assert not store.find_invariant_violations(thorough=True)


def stop_process(process: subprocess.Popen[str]) -> None:
    """Stop a process with SIGSTOP, and wait until it is stopped."""
    os.kill(process.pid, signal.SIGSTOP)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), "it ended before it was stopped"
