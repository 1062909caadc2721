"""Measure how fast an edition is sent, compared with smtp-source, Postfix's load generator, which is written in C.

Both send messages of the same size over the same number of connections, one after the other, to a sink that uses very
little CPU and counts them (`sinks.py`). The figure is the median of the paired ratios. Ketapress does all that it does in
production: deliveries are claimed from SQLite, each message is personalized, no final dot is sent before its intent is
committed, and results are saved. smtp-source sends filler.

    python benchmarks/deliver/ours_vs_smtp_source.py --messages 10000 --rounds 5

Requires cc and Debian's package postfix (its daemon is not started). Uses loopback, so that neither side waits for a network.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median

from sinks import SINKS, find_program, open_sink, wait_for_exit

from ketapress.deliver.context import DeliveryContext
from ketapress.deliver.sender import Sender
from ketapress.mail.personalize import merge_values, message_chunks
from ketapress.model.address import Mailbox
from ketapress.model.delivery import Recipient
from ketapress.model.edition import Decision, EditionState, Slot, Window
from ketapress.model.message import Digest, FieldEncoding, MergeField, MessageTemplate
from ketapress.model.settings import NewsletterSettings, RelaySettings, RelayUrl, Schedule
from ketapress.model.subscriber import ImportRow
from ketapress.relay.rate_limit import RelayLimits
from ketapress.store.store import Store, open_store

NOW = datetime(2023, 6, 12, 9, tzinfo=UTC)
SLOT = Slot("weekly", "2023-06-12T0800", NOW - timedelta(hours=1))
WEEKLY = NewsletterSettings(
    name="weekly",
    title="The Example Weekly",
    schedule=Schedule("0 8 * * mon", "0 8 * * mon"),
    starts=date(2023, 6, 5),
    sender=Mailbox("The Example Weekly", "digest@example.org"),
)


def build_template(size: int) -> MessageTemplate:
    """Return a template of about `size` bytes: a fifth of it text, the rest HTML, with the merge fields of a digest."""
    line = b"x" * 74 + b"=\r\n"
    text, html = line * (size // 5 // len(line)), line * (size * 4 // 5 // len(line))
    return MessageTemplate(
        key="0123456789abcdef",
        segments=(
            b"From: The Example Weekly <digest@example.org>\r\nTo: ",
            b"\r\nDate: ",
            b"\r\nMessage-ID: ",
            b"\r\nList-Unsubscribe: <",
            b">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nSubject: News\r\nMIME-Version: 1.0\r\n"
            b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n'
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + text,
            b"\r\n\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
            + html,
            b"\r\n",
            b"\r\n--b--\r\n",
        ),
        merge_fields=(
            *(
                MergeField(name, FieldEncoding.HEADER)
                for name in ("to", "date", "message_id", "unsubscribe_url")
            ),
            MergeField("unsubscribe_url", FieldEncoding.TEXT),
            MergeField("unsubscribe_url", FieldEncoding.HTML),
            MergeField("preferences_url", FieldEncoding.HTML),
        ),
    )


def personalize(
    message_template: MessageTemplate, recipient: Recipient, newsletter: NewsletterSettings, moment: datetime
) -> Sequence[bytes]:
    values = merge_values(
        message_template,
        recipient,
        sender_domain=newsletter.sender.domain,
        web_base_url="https://example.org",
        secret="x" * 32,
        date=moment,
    )
    return message_chunks(message_template, values)


def add_edition(store: Store, messages: int, size: int) -> None:
    """Add an edition that is ready to send, and its subscribers."""
    rows = (ImportRow(address=f"reader{n}@host{n % 97}.example") for n in range(messages))
    store.subscribers.add(rows, ["weekly"], "benchmark", NOW)
    digest = Digest(
        subject="News", html="", text="", web_html="", message_template=build_template(size), sizes={}
    )
    window = Window(SLOT.at - timedelta(days=7), SLOT.at)
    edition = store.editions.decide_slots(
        [(SLOT, Decision.COMPOSED)], window=window, post_ids=(), send_deadline=None, now=NOW
    )
    assert edition is not None
    store.editions.save_message(
        edition, EditionState.READY, subject="News", digest=digest, post_ids=(), reason="", now=NOW
    )


def send_edition(folder: Path, port: int, options: argparse.Namespace) -> dict[str, float]:
    """Send an edition in this process; return seconds, CPU seconds and peak megabytes."""
    with open_store("sqlite:///ketapress.db", folder, durability=options.durability) as store:
        add_edition(store, options.messages, options.size)
        context = DeliveryContext(
            relay=RelaySettings(url=RelayUrl("127.0.0.1", port, "none"), connections=options.connections),
            build_message=personalize,
            clock=lambda: datetime.now(UTC),
            rng=Random(1),
            must_stop=lambda: False,
            limits=RelayLimits(None, options.connections),
        )
        sender = Sender(store.deliveries, store.editions, {"weekly": WEEKLY}, context)
        start, cpu_seconds = time.perf_counter(), time.process_time()
        [report] = sender.send()
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_seconds
        assert report.sent == options.messages, report
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "megabytes": usage.ru_maxrss / 1024,
    }


@contextmanager
def start_smtp_sink() -> Iterator[int]:
    """Start smtp-sink and yield its port."""
    with open_sink("smtp-sink") as sink:
        yield sink.port


def run_smtp_source(port: int, options: argparse.Namespace) -> tuple[float, float]:
    """Run smtp-source and return its seconds and CPU seconds."""
    command = [find_program("smtp-source"), "-d", "-s", str(options.connections), "-l", str(options.size)]
    start = time.perf_counter()
    with subprocess.Popen([*command, "-m", str(options.messages), f"127.0.0.1:{port}"]) as process:
        cpu_seconds = wait_for_exit(process)
    if process.returncode:
        sys.exit(f"smtp-source ended with {process.returncode}.")
    return time.perf_counter() - start, cpu_seconds


def run_ours(port: int, options: argparse.Namespace) -> dict[str, float]:
    """Run `send_edition` in a process of its own and return its result."""
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        command = [sys.executable, str(Path(__file__).resolve()), "--ours", folder, "--port", str(port)]
        for name in ("messages", "size", "connections", "durability"):
            command += [f"--{name}", str(getattr(options, name))]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    result: dict[str, float] = json.loads(output)
    return result


def run_round(options: argparse.Namespace) -> tuple[float, dict[str, float]]:
    """Run both sides, one after the other, each with a sink of its own."""
    with open_sink(options.sink) as sink:
        smtp_source_seconds, _ = run_smtp_source(sink.port, options)
    sink.check(options.messages, options.size)
    with open_sink(options.sink) as sink:
        ours = run_ours(sink.port, options)
    sink.check(options.messages, options.size)
    return smtp_source_seconds, ours


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--size", type=int, default=62_980)
    parser.add_argument("--durability", choices=["power", "process"], default="power")
    parser.add_argument("--sink", choices=SINKS, default=SINKS[0])
    parser.add_argument("--folder", help="where the database is made; a disk, not memory, for honest figures")
    parser.add_argument("--ours", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ours:
        print(json.dumps(send_edition(Path(options.ours), options.port, options)))
        return
    print("| round | smtp-source msgs/s | ours msgs/s | ratio | our CPU s/1,000 | our MB |")
    print("|--:|--:|--:|--:|--:|--:|")
    ratios = []
    for number in range(1, options.rounds + 1):
        smtp_source_seconds, ours = run_round(options)
        ratios.append(smtp_source_seconds / ours["seconds"])
        print(
            f"| {number} | {options.messages / smtp_source_seconds:,.0f} | {options.messages / ours['seconds']:,.0f} | {ratios[-1]:.2f} "
            f"| {ours['cpu_seconds'] / options.messages * 1000:.3f} | {ours['megabytes']:.0f} |",
            flush=True,
        )
    print(
        f"\nmedian ratio {median(ratios):.2f}, {options.connections} connections, durability {options.durability}"
    )


if __name__ == "__main__":
    main()
