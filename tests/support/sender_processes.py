"""For tests of several senders: `ketapress send` as processes on one PostgreSQL, each with a folder and a relay of its own."""

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
from support.delivery_fixture import Press
from support.factories import TOML
from support.postgresql import administer

_MORE = """
[database]
url = "{url}"

[relay]
url = "smtp://127.0.0.1:{port}"
connections = {lines}
in_doubt = "{in_doubt}"

[web]
secret = "{secret}"
"""
_NO_POSTS = '{"schema": 1, "first_built": "2023-06-05T00:00:00Z"}\n'


@dataclass
class House:
    """A database with an edition that is ready, and for each sender a folder and a relay of its own."""

    url: str
    store: Store
    edition: int
    folders: list[Path]
    relays: list[ScriptedRelay]
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, sender: int, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "ketapress", "-C", str(self.folders[sender]), *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def answered(self, process: subprocess.Popen[str]) -> Any:
        """What a command printed as JSON; it ended well, or with something for a person."""
        printed, complaint = process.communicate(timeout=60)
        assert process.returncode in {0, 1}, (process.returncode, printed, complaint)
        return json.loads(printed)["result"]

    def named(self, state: DeliveryState) -> set[str]:
        return {each.address for each in self.store.deliveries.iter_deliveries(self.edition, state)}

    def received(self) -> Counter[str]:
        return Counter(each.recipient for relay in self.relays for each in relay.messages)

    def assert_repeats_are_the_same_to_the_byte(self) -> None:
        got: dict[str, set[bytes]] = {}
        for relay in self.relays:
            for each in relay.messages:
                got.setdefault(each.recipient, set()).add(each.message)
        assert all(len(messages) == 1 for messages in got.values())

    def let_a_lease_pass(self, worker: int) -> None:
        """As if this worker had been silent for more than a minute: its lease is over, and a transaction that it left open."""
        self.wait_until(
            "state = 'active'", count=0
        )  # what the stopped one asked last is still done by the server
        with self.store._transactions.write() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND state LIKE 'idle in transaction%%' AND pid <> pg_backend_pid()"
            )
        self.wait_until("state LIKE 'idle in transaction%%'", count=0)
        with self.store._transactions.write() as connection:
            connection.exec_driver_sql(f"UPDATE workers SET lease_until = 0 WHERE id = {worker}")

    def sending_by(self, worker: int) -> set[str]:
        """Who is at the dot of this worker."""
        with self.store._transactions.read() as connection:
            query = "SELECT subscription_id FROM deliveries WHERE worker_id = %s AND state = %s"
            found = connection.exec_driver_sql(query, (worker, delivery_code(DeliveryState.SENDING)))
            mine = set(found.scalars())
        lines = self.store.deliveries.iter_deliveries(self.edition, DeliveryState.SENDING)
        return {each.address for each in lines if each.subscription_id in mine}

    def wait_until(self, activity: str, count: int = 1) -> None:
        """Until so many other connections to this database are in that state, as the server sees it."""
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            f"AND pid <> pg_backend_pid() AND {activity}"
        )
        for _ in range(3000):
            with self.store._transactions.read() as connection:
                if connection.exec_driver_sql(query).scalar_one() == count:
                    return
                connection.exec_driver_sql("SELECT pg_sleep(0.01)")
        raise AssertionError(f"there were never {count} connections of which {activity}")

    def workers(self) -> list[int]:
        with self.store._transactions.read() as connection:
            return list(connection.exec_driver_sql("SELECT id FROM workers ORDER BY id").scalars())


@contextmanager
def open_house(
    server: URL, root: Path, name: str, readers: Sequence[str], *, senders: int, lines: int, in_doubt: str
) -> Iterator[House]:
    """A new database of that name; whoever still runs at the end is killed, and the ledger has to add up."""
    administer(server, f"CREATE DATABASE {name}")
    url = server.set(database=name).render_as_string(hide_password=False)
    with ExitStack() as stack:
        store = stack.enter_context(open_store(url, root))
        relays = [stack.enter_context(ScriptedRelay()) for _ in range(senders)]
        folders = [root / str(number) for number in range(senders)]
        for folder, relay in zip(folders, relays, strict=True):
            (folder / "posts").mkdir(parents=True)
            (folder / "posts" / ".published.jsonl").write_text(_NO_POSTS)
            more = _MORE.format(url=url, port=relay.port, lines=lines, in_doubt=in_doubt, secret="s" * 32)
            (folder / "ketapress.toml").write_text(TOML + more)
        press = Press(store, relays[0], root)
        press.subscribe(*readers)
        found = House(url, store, press.edition(send_by=None), folders, relays)
        yield found
        for process in found.processes:
            if process.poll() is None:
                process.kill()  # one that is stopped, too
            process.communicate()
        assert not store.find_invariant_violations(thorough=True)


def stopped(process: subprocess.Popen[str]) -> None:
    """Stops a process, and comes back when it stands still."""
    os.kill(process.pid, signal.SIGSTOP)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), "it ended before it was stopped"
