"""Freeze an edition for a million subscribers, send it to smtp-sink, and run `ketapress status` meanwhile.

    python benchmarks/scale/million.py --people 1000000
    python benchmarks/scale/million.py --people 1000000 --database postgresql --only-freeze

As in production, `ketapress send` and `ketapress status --json` are processes on a publication folder. Prints a line every
few seconds (messages sent, the sender's megabytes, seconds of `status`), and a table at the end. Requires Debian's
package postfix (its daemon is not started).
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

from ours_vs_smtp_source import NOW, SLOT, build_template, start_smtp_sink
from simulate import add_subscribers
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


class Sample(NamedTuple):
    """One observation of a sender: seconds since its start, its megabytes, messages sent.

    `status` is the seconds of the command `status`, `cpu_seconds` its CPU time.
    """

    elapsed: float
    megabytes: float
    sent: int
    status: float
    cpu_seconds: float


def write_publication(root: Path, url: str, port: int, options: argparse.Namespace) -> None:
    (root / "posts").mkdir()
    (root / "posts" / ".published.jsonl").write_text('{"schema": 1, "first_built": "2023-06-05T00:00:00Z"}\n')
    values = {"url": url, "port": port, "connections": options.connections, "secret": "s" * 32}
    (root / "ketapress.toml").write_text(_SETTINGS.format(**values))


def add_edition(store: Store, size: int) -> int:
    """Add an edition that is ready to send and return its id."""
    window = Window(SLOT.at, SLOT.at)
    edition = store.editions.decide_slots(
        [(SLOT, Decision.COMPOSED)], window=window, post_ids=(), send_deadline=None, now=NOW
    )
    assert edition is not None
    digest = Digest(
        subject="News", html="", text="", web_html="", message_template=build_template(size), sizes={}
    )
    store.editions.save_message(
        edition, EditionState.READY, subject="News", digest=digest, post_ids=(), reason="", now=NOW
    )
    return edition


def ketapress(root: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "ketapress", "-C", str(root), *arguments]


def take_sample(root: Path, start: float, sender: int | None = None) -> Sample:
    sample_start, cpu_seconds = time.perf_counter(), children_cpu_seconds()
    status = subprocess.run(ketapress(root, "status", "--json"), check=False, capture_output=True, text=True)
    status_seconds = time.perf_counter() - sample_start
    sent = json.loads(status.stdout)["result"]["deliveries"]["sent"]
    return Sample(
        sample_start - start,
        megabytes(sender) if sender else 0.0,
        sent,
        status_seconds,
        children_cpu_seconds() - cpu_seconds,
    )


def children_cpu_seconds() -> float:
    """Return the CPU seconds of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def megabytes(process: int) -> float:
    """Return the anonymous memory of a process, without file pages; 0 if the process has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except FileNotFoundError:
        return 0.0
    anonymous = next((line for line in lines if line.startswith("RssAnon")), "RssAnon: 0 kB")
    return int(anonymous.split()[1]) / 1024


def send_edition(root: Path, interval: float) -> tuple[dict[str, Any], float, list[Sample]]:
    """Run `send`; return its report of the edition, its seconds and the samples taken meanwhile."""
    start = time.perf_counter()
    with subprocess.Popen(ketapress(root, "send", "--json"), stdout=subprocess.PIPE, text=True) as process:
        samples = []
        while process.poll() is None:
            samples.append(take_sample(root, start, process.pid))
            print_sample(samples[-1])
            try:
                process.wait(max(0.0, interval - samples[-1].status))
            except subprocess.TimeoutExpired:
                continue
        seconds = time.perf_counter() - start
        assert process.stdout is not None
        [edition] = json.loads(process.stdout.read())["result"]["editions"]
    return edition, seconds, samples


def print_sample(sample: Sample) -> None:
    load = os.getloadavg()[0]
    print(
        f"{sample.elapsed:7.1f} s  {sample.sent:9,} sent  {sample.megabytes:6.1f} MB  status {sample.status:.2f} s  load {load:.1f}",
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


def measure(root: Path, url: str, options: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Yield the rows of the table: what was measured, and the value."""
    with start_smtp_sink() as port:
        write_publication(root, url, port, options)
        with open_store(url, root) as store:
            engine = create_engine(url.replace("sqlite:///", f"sqlite:///{root}/"))
            add_subscribers(engine, options.people)
            engine.dispose()
            edition = add_edition(store, options.size)
            start = time.perf_counter()
            assert store.deliveries.freeze(edition, "weekly", NOW) == options.people
            yield "seconds to freeze", f"{time.perf_counter() - start:.1f}"
        idle_samples = [take_sample(root, 0.0) for _ in range(5)]
        status_seconds = [sample.status for sample in idle_samples]
        yield (
            "seconds of `status`, without a sender: median, longest",
            f"{median(status_seconds):.2f}, {max(status_seconds):.2f}",
        )
        cpu_seconds = median(sample.cpu_seconds for sample in idle_samples)
        yield "CPU seconds of `status`, without a sender: median", f"{cpu_seconds:.2f}"
        if options.only_freeze:
            return
        report, seconds, samples = send_edition(root, options.every)
        assert report["sent"] == options.people, report
        yield "messages a second, with the start of the process", f"{options.people / seconds:,.0f}"
        yield from format_samples(samples)


def format_samples(samples: list[Sample]) -> Iterator[tuple[str, str]]:
    status_seconds = [sample.status for sample in samples]
    slow_count = sum(seconds >= 1 for seconds in status_seconds)
    yield (
        f"seconds of `status` while sending, {len(status_seconds)} times: median, longest, of a second or more",
        f"{median(status_seconds):.2f}, {max(status_seconds):.2f}, {slow_count}",
    )
    cpu_seconds = median(sample.cpu_seconds for sample in samples)
    yield "CPU seconds of `status` while sending: median", f"{cpu_seconds:.2f}"
    sender_megabytes = [sample.megabytes for sample in samples if sample.megabytes and sample.sent]
    if not sender_megabytes:  # a run so short that no sample was taken after its first message
        return
    tenth = max(1, len(sender_megabytes) // 10)
    yield (
        "megabytes of the sender: first tenth, last tenth, most",
        f"{median(sender_megabytes[:tenth]):.0f}, {median(sender_megabytes[-tenth:]):.0f}, {max(sender_megabytes):.0f}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=62_980, help="bytes of a message")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--every", type=float, default=5, help="seconds from one `status` to the next")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--fsync", choices=("on", "off"), default="on", help="of PostgreSQL")
    parser.add_argument("--only-freeze", action="store_true", help="send nothing")
    parser.add_argument(
        "--folder", help="where the publication is made; a disk, not memory, for honest figures"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, database_url(options) as url:
        rows = list(measure(Path(folder), url, options))
    database = (
        options.database if options.database == "sqlite" else f"{options.database}, fsync {options.fsync}"
    )
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores {platform.machine()}, Python {platform.python_version()}, "
        f"load {os.getloadavg()[1]:.1f}\n\n| {options.people:,} subscribers, {database} | |\n|---|--:|"
    )
    for name, value in rows:
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
