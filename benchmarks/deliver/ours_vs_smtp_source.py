"""How fast a whole edition goes out, against Postfix's own load generator, which is written in C.

Both send messages of the same size over the same number of connections, one after the other, to a sink that costs next
to nothing (`sinks.py`) and counts them; the figure is the median of the paired ratios. Ours does everything it does in service: deliveries are claimed from SQLite,
each message is stamped, no dot goes out before its intent is committed, results are written. smtp-source sends filler.

    python benchmarks/deliver/ours_vs_smtp_source.py --messages 10000 --rounds 5

Needs cc and Debian's package postfix (its daemon is not started). Loopback, so that neither side waits for a network.
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

from sinks import SINKS, open_sink, program, wait

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


def letter(size: int) -> MessageTemplate:
    """A message of about `size` bytes: a fifth of it text, the rest HTML, with the slots of a real digest."""
    line = b"x" * 74 + b"=\r\n"
    text, page = line * (size // 5 // len(line)), line * (size * 4 // 5 // len(line))
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
            + page,
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


def composed(store: Store, messages: int, size: int) -> None:
    """One edition that is ready, and its subscribers."""
    people = (ImportRow(address=f"reader{n}@example{n % 97}.net") for n in range(messages))
    store.subscribers.add(people, ["weekly"], "benchmark", NOW)
    digest = Digest(subject="News", html="", text="", web_html="", message_template=letter(size), sizes={})
    window = Window(SLOT.at - timedelta(days=7), SLOT.at)
    edition = store.editions.decide_slots(
        [(SLOT, Decision.COMPOSED)], window=window, post_ids=(), send_deadline=None, now=NOW
    )
    assert edition is not None
    store.editions.save_message(
        edition, EditionState.READY, subject="News", digest=digest, post_ids=(), reason="", now=NOW
    )


def ours(folder: Path, port: int, options: argparse.Namespace) -> dict[str, float]:
    """One edition sent, in this process; seconds of the clock and of the processor, megabytes at the most."""
    with open_store("sqlite:///ketapress.db", folder, durability=options.durability) as store:
        composed(store, options.messages, options.size)
        context = DeliveryContext(
            relay=RelaySettings(url=RelayUrl("127.0.0.1", port, "none"), connections=options.connections),
            build_message=personalize,
            clock=lambda: datetime.now(UTC),
            rng=Random(1),
            must_stop=lambda: False,
            limits=RelayLimits(None, options.connections),
        )
        sender = Sender(store.deliveries, store.editions, {"weekly": WEEKLY}, context)
        start, processor = time.perf_counter(), time.process_time()
        [report] = sender.send()
        seconds, processor = time.perf_counter() - start, time.process_time() - processor
        assert report.sent == options.messages, report
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": seconds,
        "processor": processor,
        "megabytes": usage.ru_maxrss / 1024,
    }


@contextmanager
def sink() -> Iterator[int]:
    """Starts smtp-sink and yields its port."""
    with open_sink("smtp-sink") as opened:
        yield opened.port


def smtp_source(port: int, options: argparse.Namespace) -> tuple[float, float]:
    """Seconds and processor seconds of smtp-source as a whole process."""
    command = [program("smtp-source"), "-d", "-s", str(options.connections), "-l", str(options.size)]
    start = time.perf_counter()
    with subprocess.Popen([*command, "-m", str(options.messages), f"127.0.0.1:{port}"]) as process:
        processor = wait(process)
    if process.returncode:
        sys.exit(f"smtp-source ended with {process.returncode}.")
    return time.perf_counter() - start, processor


def ours_alone(port: int, options: argparse.Namespace) -> dict[str, float]:
    """Ours in a process of its own."""
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        words = [sys.executable, str(Path(__file__).resolve()), "--ours", folder, "--port", str(port)]
        for name in ("messages", "size", "connections", "durability"):
            words += [f"--{name}", str(getattr(options, name))]
        told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(told)
    return found


def one_round(options: argparse.Namespace) -> tuple[float, dict[str, float]]:
    """Both sides, one after the other, each to a sink of its own."""
    with open_sink(options.sink) as opened:
        theirs, _ = smtp_source(opened.port, options)
    opened.check(options.messages, options.size)
    with open_sink(options.sink) as opened:
        mine = ours_alone(opened.port, options)
    opened.check(options.messages, options.size)
    return theirs, mine


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
        print(json.dumps(ours(Path(options.ours), options.port, options)))
        return
    print("| round | smtp-source msgs/s | ours msgs/s | ratio | our CPU s/1,000 | our MB |")
    print("|--:|--:|--:|--:|--:|--:|")
    ratios = []
    for number in range(1, options.rounds + 1):
        theirs, mine = one_round(options)
        ratios.append(theirs / mine["seconds"])
        print(
            f"| {number} | {options.messages / theirs:,.0f} | {options.messages / mine['seconds']:,.0f} | {ratios[-1]:.2f} "
            f"| {mine['processor'] / options.messages * 1000:.3f} | {mine['megabytes']:.0f} |",
            flush=True,
        )
    print(
        f"\nmedian ratio {median(ratios):.2f}, {options.connections} connections, durability {options.durability}"
    )


if __name__ == "__main__":
    main()
