"""Measure how fast an edition is sent, compared with other mail libraries and with Postfix's load generator.

The senders run one after the other in each round, with messages of the same size over the same number of connections.
The sink (`sinks.py`) uses very little CPU and counts what arrives; a missing or surplus message ends the benchmark.
A figure is the median over the rounds, a ratio the median of the paired ratios. Ketapress does all that it does in
production: it claims deliveries from SQLite, personalizes messages, commits an intent before each final dot and saves the
results. The others have no database; smtplib and aiosmtplib send prepared bytes, nodemailer's pool text and HTML.

    python benchmarks/deliver/run.py --messages 10000 --rounds 3
    python benchmarks/deliver/run.py --sink smtp-sink           use Postfix's sink, which is often the limit

Requires cc and Debian's package postfix (its daemon is not started), and npm for nodemailer. The libraries are installed
in a temporary folder.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

from ours_vs_smtp_source import run_ours, run_smtp_source
from sinks import SINKS, open_sink

HERE = Path(__file__).parent
RIVALS = HERE / "rivals"
README = HERE.parent.parent / "README.md"
SINK_DESCRIPTIONS = {
    "counting": "into a sink that only counts (every message arrived)",
    "smtp-sink": "into smtp-sink",
}
SMTP_SOURCE_FACTOR = 4
"""How many times as many messages smtp-source sends: with the same number it would end within half a second."""
BUSY_LIMIT = 0.85
"""The share of CPU time from which the sink is reported as the limit."""
Sender = Callable[[int, argparse.Namespace], tuple[float, float]]
"""A function that sends to a port and returns seconds and the sender's CPU seconds."""


@dataclass(frozen=True)
class Measurement:
    messages: int
    seconds: float
    cpu_seconds: float
    sink_cpu_seconds: float

    @property
    def rate(self) -> float:
        return self.messages / self.seconds


def run_ours_with_durability(durability: str, port: int, options: argparse.Namespace) -> tuple[float, float]:
    result = run_ours(port, argparse.Namespace(**vars(options) | {"durability": durability}))
    return result["seconds"], result["cpu_seconds"]


def run_rival(
    command: list[str], folder: Path, port: int, options: argparse.Namespace
) -> tuple[float, float]:
    environment = os.environ | {"NODE_PATH": str(folder / "node_modules"), "PYTHONPATH": str(folder)}
    numbers = [str(number) for number in (port, options.messages, options.connections, options.size)]
    output = subprocess.run(
        [*command, *numbers], check=True, capture_output=True, text=True, env=environment
    ).stdout
    seconds, cpu_seconds = map(float, output.split())
    return seconds, cpu_seconds


def find_senders(folder: Path) -> dict[str, Sender]:
    """Return the senders by name. Without npm, nodemailer is left out, with a warning."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "--target", str(folder), "aiosmtplib"], check=True)
    python = [sys.executable, str(RIVALS / "python.py")]
    senders: dict[str, Sender] = {
        "smtp-source -d (C, no database, one text for all)": run_smtp_source,
        'Ketapress, `durability = "power"`': partial(run_ours_with_durability, "power"),
        'Ketapress, `durability = "process"`': partial(run_ours_with_durability, "process"),
        "smtplib, a thread a connection, finished bytes": partial(run_rival, [*python, "smtplib"], folder),
        "aiosmtplib, finished bytes": partial(run_rival, [*python, "aiosmtplib"], folder),
    }
    if shutil.which("npm") is None:
        print("npm is not installed: nodemailer is left out.", file=sys.stderr)
        return senders
    subprocess.run(["npm", "install", "--silent", "--prefix", str(folder), "nodemailer"], check=True)
    pool = ["node", str(RIVALS / "pool.js")]
    return senders | {"nodemailer's pool, text and HTML": partial(run_rival, pool, folder)}


def measure(sender: Sender, options: argparse.Namespace) -> Measurement:
    """Run one sender with a sink of its own; exit if a message is missing or surplus."""
    if sender is run_smtp_source:
        options = argparse.Namespace(**vars(options) | {"messages": options.messages * SMTP_SOURCE_FACTOR})
    with open_sink(options.sink) as sink:
        seconds, cpu_seconds = sender(sink.port, options)
    sink.check(options.messages, options.size)
    return Measurement(options.messages, seconds, cpu_seconds, sink.cpu_seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--sizes", type=int, nargs="+", default=[62_980, 20_000], help="bytes of a message")
    parser.add_argument("--sink", choices=SINKS, default=SINKS[0])
    parser.add_argument("--folder", help="where the database is made; a disk, not memory, for honest figures")
    parser.add_argument("--keep", action="store_true", help="save the tables in RESULTS.md and the README")
    options = parser.parse_args()
    rounds: list[dict[tuple[int, str], Measurement]] = []
    loads = []
    with tempfile.TemporaryDirectory() as folder:
        senders = find_senders(Path(folder))
        for number in range(1, options.rounds + 1):
            measurements = {}
            for size in options.sizes:
                sized = argparse.Namespace(**vars(options) | {"size": size})
                for name, sender in senders.items():
                    measurements[size, name] = measure(sender, sized)
                    loads.append(os.getloadavg()[0])
                    print(
                        f"round {number}, {size}, {name}: {measurements[size, name].rate:,.0f} a second",
                        file=sys.stderr,
                    )
            rounds.append(measurements)
    tables = "\n".join(format_results(list(senders), rounds, median(loads), options))
    print(tables)
    if options.keep:
        save_results(tables)


def save_results(table: str) -> None:
    """Write the tables to RESULTS.md, and between the markers in the README."""
    (HERE / "RESULTS.md").write_text(f"# Deliver: measured\n\n{table}")
    before, begin, rest = README.read_text().partition("<!-- deliver: benchmarks/deliver/run.py --keep -->\n")
    _, end, after = rest.partition("<!-- end -->\n")
    README.write_text(f"{before}{begin}{table}{end}{after}")


def describe_load(load: float) -> str:
    """Return a warning if more processes than cores wanted to run, else an empty string."""
    if load <= (os.cpu_count() or 1):
        return ""
    return (
        ": more than there are, so the cores were the limit. Every sender was slower than alone, and a sender that needs "
        "less CPU looks better"
    )


def format_results(
    names: list[str],
    rounds: list[dict[tuple[int, str], Measurement]],
    load: float,
    options: argparse.Namespace,
) -> Iterator[str]:
    """Yield the lines of a table for each size, after a line about the conditions. Ratios are to the first name."""
    max_sink_load = max(
        median(result[key].sink_cpu_seconds / result[key].seconds for result in rounds) for key in rounds[0]
    )
    yield (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores {platform.machine()}, Python {platform.python_version()}, "
        f"{options.connections} connections, {options.messages:,} messages ({SMTP_SOURCE_FACTOR} times as many of smtp-source), "
        f"{options.rounds} rounds in turn, {SINK_DESCRIPTIONS[options.sink]}. The sink was at most {max_sink_load:.0%} busy"
        f"{': it was the limit there' if max_sink_load > BUSY_LIMIT else ', so it was never the limit'}. "
        f"{load:.1f} processes wanted a core meanwhile, the sender and the sink among them{describe_load(load)}."
    )
    for size in options.sizes:
        yield f"\n| {size:,} bytes each | messages/s | beside smtp-source | CPU s/1,000 | sender busy | sink busy |"
        yield "|---|--:|--:|--:|--:|--:|"
        for name in names:
            measurements = [result[size, name] for result in rounds]
            rate = median(measurement.rate for measurement in measurements)
            ratio = median(result[size, name].rate / result[size, names[0]].rate for result in rounds)
            cost = (
                median(measurement.cpu_seconds / measurement.messages for measurement in measurements) * 1000
            )
            busy = median(measurement.cpu_seconds / measurement.seconds for measurement in measurements)
            sink = median(measurement.sink_cpu_seconds / measurement.seconds for measurement in measurements)
            yield f"| {name} | {rate:,.0f} | {ratio:.2f} | {cost:.2f} | {busy:.0%} | {sink:.0%} |"
    yield ""


if __name__ == "__main__":
    main()
