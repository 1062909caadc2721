"""A million people get one edition: freeze, send into smtp-sink, and ask `ketapress status` all the while.

    python benchmarks/scale/million.py --people 1000000
    python benchmarks/scale/million.py --people 1000000 --database postgresql --only-freeze

Everything is as in service: `ketapress send` and `ketapress status --json` are processes on a publication folder. Prints
one line every few seconds (messages taken, megabytes that the sender holds, seconds that `status` took), and at the end
a table. Needs Debian's postfix (its daemon is not started).
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "deliver"))

from ours_vs_smtp_source import NOW, SLOT, letter, sink
from simulate import settle_people
from sqlalchemy import create_engine

from ketapress.model.edition import Decision, EditionState, Window
from ketapress.model.message import Digest
from ketapress.store.store import Store, open_store
from support.postgresql import administer, postgresql

_SETTINGS = """
[site]
title = "The Example Press"
url = "https://example.org"
postal_address = "The Example Press, 1 Example Street"

[newsletters.weekly]
title = "The Example Weekly"
schedule = "0 8 * * mon"
starts = 2023-06-05
from = "The Example Weekly <digest@example.org>"

[database]
url = "{url}"

[relay]
url = "smtp://127.0.0.1:{port}"
connections = {connections}

[web]
secret = "{secret}"
"""


class Look(NamedTuple):
    """One look at a sender: seconds since it began, its megabytes, how many were sent; seconds that `status` took.

    `processor` is how many of those it worked: the rest it waited for its turn.
    """

    at: float
    megabytes: float
    sent: int
    status: float
    processor: float


def publication(root: Path, url: str, port: int, options: argparse.Namespace) -> None:
    (root / "posts").mkdir()
    (root / "posts" / ".published.jsonl").write_text('{"schema": 1, "first_built": "2023-06-05T00:00:00Z"}\n')
    more = {"url": url, "port": port, "connections": options.connections, "secret": "s" * 32}
    (root / "ketapress.toml").write_text(_SETTINGS.format(**more))


def composed(store: Store, size: int) -> int:
    """An edition that is ready."""
    window = Window(SLOT.at, SLOT.at)
    edition = store.editions.decide_slots(
        [(SLOT, Decision.COMPOSED)], window=window, post_ids=(), send_deadline=None, now=NOW
    )
    assert edition is not None
    digest = Digest(subject="News", html="", text="", web_html="", message_template=letter(size), sizes={})
    store.editions.save_message(
        edition, EditionState.READY, subject="News", digest=digest, post_ids=(), reason="", now=NOW
    )
    return edition


def ketapress(root: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "ketapress", "-C", str(root), *words]


def looked(root: Path, began: float, sender: int | None = None) -> Look:
    start, worked = time.perf_counter(), processor()
    told = subprocess.run(ketapress(root, "status", "--json"), check=False, capture_output=True, text=True)
    took = time.perf_counter() - start
    sent = json.loads(told.stdout)["result"]["deliveries"]["sent"]
    return Look(start - began, megabytes(sender) if sender else 0.0, sent, took, processor() - worked)


def processor() -> float:
    """Seconds of the processor that commands have used which are over."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def megabytes(process: int) -> float:
    """What it holds in memory now, files of the database that are shared with the system's cache left out."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except FileNotFoundError:
        return 0.0
    anonymous = next((line for line in lines if line.startswith("RssAnon")), "RssAnon: 0 kB")
    return int(anonymous.split()[1]) / 1024


def sent(root: Path, every: float) -> tuple[dict[str, Any], float, list[Look]]:
    """What `send` said, its seconds, and what was seen meanwhile."""
    began = time.perf_counter()
    with subprocess.Popen(ketapress(root, "send", "--json"), stdout=subprocess.PIPE, text=True) as process:
        looks = []
        while process.poll() is None:
            looks.append(looked(root, began, process.pid))
            shown(looks[-1])
            try:
                process.wait(max(0.0, every - looks[-1].status))
            except subprocess.TimeoutExpired:
                continue
        seconds = time.perf_counter() - began
        assert process.stdout is not None
        [edition] = json.loads(process.stdout.read())["result"]["editions"]
    return edition, seconds, looks


def shown(look: Look) -> None:
    load = os.getloadavg()[0]
    print(
        f"{look.at:7.1f} s  {look.sent:9,} sent  {look.megabytes:6.1f} MB  status {look.status:.2f} s  load {load:.1f}",
        file=sys.stderr,
        flush=True,
    )


@contextmanager
def database_url(options: argparse.Namespace) -> Iterator[str]:
    if options.database == "sqlite":
        yield "sqlite:///ketapress.db"
        return
    with postgresql() as server:
        administer(server, f"ALTER SYSTEM SET fsync = {options.fsync}", "SELECT pg_reload_conf()")
        yield server.render_as_string(hide_password=False)


def measured(root: Path, url: str, options: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """What was done, and how long it took."""
    with sink() as port:
        publication(root, url, port, options)
        with open_store(url, root) as store:
            engine = create_engine(url.replace("sqlite:///", f"sqlite:///{root}/"))
            settle_people(engine, options.people)
            engine.dispose()
            edition = composed(store, options.size)
            began = time.perf_counter()
            assert store.deliveries.freeze(edition, "weekly", NOW) == options.people
            yield "seconds to freeze", f"{time.perf_counter() - began:.1f}"
        still = [looked(root, 0.0) for _ in range(5)]
        took = [each.status for each in still]
        yield "seconds of `status`, nobody sending: median, longest", f"{median(took):.2f}, {max(took):.2f}"
        worked = median(each.processor for each in still)
        yield "seconds of the processor for `status`, nobody sending: median", f"{worked:.2f}"
        if options.only_freeze:
            return
        told, seconds, looks = sent(root, options.every)
        assert told["sent"] == options.people, told
        yield "messages a second, all in all", f"{options.people / seconds:,.0f}"
        yield from seen(looks)


def seen(looks: list[Look]) -> Iterator[tuple[str, str]]:
    took = [each.status for each in looks]
    over = sum(each >= 1 for each in took)
    yield (
        f"seconds of `status` while sending, {len(took)} times: median, longest, of a second or more",
        f"{median(took):.2f}, {max(took):.2f}, {over}",
    )
    worked = median(each.processor for each in looks)
    yield "seconds of the processor for `status` while sending: median", f"{worked:.2f}"
    held = [each.megabytes for each in looks if each.megabytes and each.sent]
    tenth = max(1, len(held) // 10)
    yield (
        "megabytes of the sender: first tenth, last tenth, most",
        f"{median(held[:tenth]):.0f}, {median(held[-tenth:]):.0f}, {max(held):.0f}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=62_980, help="bytes of the letter")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--every", type=float, default=5, help="seconds from one `status` to the next")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--fsync", choices=("on", "off"), default="on", help="of PostgreSQL")
    parser.add_argument("--only-freeze", action="store_true", help="nothing is sent")
    parser.add_argument(
        "--folder", help="where the publication is made; a disk, not memory, for honest figures"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, database_url(options) as url:
        rows = list(measured(Path(folder), url, options))
    database = (
        options.database if options.database == "sqlite" else f"{options.database}, fsync {options.fsync}"
    )
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores {platform.machine()}, Python {platform.python_version()}, "
        f"load {os.getloadavg()[1]:.1f}\n\n| {options.people:,} people, {database} | |\n|---|--:|"
    )
    for name, value in rows:
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
