"""How fast an edition goes out, beside the mail libraries that others use and Postfix's own load generator.

Everybody sends messages of the same size over the same number of connections, one after the other, in turn, to a sink of
our own that costs next to nothing (`sinks.py`) and counts what came: a run with a message too few or too many ends the
benchmark. A figure is the median over the rounds, a ratio the median of the paired ratios. Ours does all that it does in
service: claims from SQLite, stamps, commits an intent before each dot, writes results. The others keep no database;
smtplib and aiosmtplib get finished bytes, nodemailer (its pool) text and HTML, as its users do.

    python benchmarks/deliver/run.py --messages 10000 --rounds 3
    python benchmarks/deliver/run.py --sink smtp-sink           into Postfix's sink, which is often the limit

Needs cc and Debian's postfix (its daemon is not started); npm, where nodemailer is to be measured. What it measures it
installs in a folder that is gone afterwards.
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

from ours_vs_smtp_source import ours_alone, smtp_source
from sinks import SINKS, open_sink

HERE = Path(__file__).parent
RIVALS = HERE / "rivals"
README = HERE.parent.parent / "README.md"
INTO = {
    "counting": "into a sink that only counts (every message arrived)",
    "smtp-sink": "into smtp-sink",
}
SOURCE_SENDS = 4
"""smtp-source sends so many times the messages of the others: it would be done in half a second."""
FULL = 0.85
"""A sink that is so busy holds the sender up."""
Run = Callable[[int, argparse.Namespace], tuple[float, float]]
"""Sends to a port; returns seconds and the sender's processor seconds."""


@dataclass(frozen=True)
class Told:
    messages: int
    seconds: float
    processor: float
    sink_processor: float

    @property
    def rate(self) -> float:
        return self.messages / self.seconds


def ours(durability: str, port: int, options: argparse.Namespace) -> tuple[float, float]:
    told = ours_alone(port, argparse.Namespace(**vars(options) | {"durability": durability}))
    return told["seconds"], told["processor"]


def rival(words: list[str], folder: Path, port: int, options: argparse.Namespace) -> tuple[float, float]:
    environment = os.environ | {"NODE_PATH": str(folder / "node_modules"), "PYTHONPATH": str(folder)}
    numbers = [str(each) for each in (port, options.messages, options.connections, options.size)]
    told = subprocess.run(
        [*words, *numbers], check=True, capture_output=True, text=True, env=environment
    ).stdout
    seconds, processor = map(float, told.split())
    return seconds, processor


def candidates(folder: Path) -> dict[str, Run]:
    """Who is measured; what is missing on this machine is left out, and said."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "--target", str(folder), "aiosmtplib"], check=True)
    python = [sys.executable, str(RIVALS / "python.py")]
    found: dict[str, Run] = {
        "smtp-source -d (C, no database, one text for all)": smtp_source,
        'Ketapress, `durability = "power"`': partial(ours, "power"),
        'Ketapress, `durability = "process"`': partial(ours, "process"),
        "smtplib, a thread a connection, finished bytes": partial(rival, [*python, "smtplib"], folder),
        "aiosmtplib, finished bytes": partial(rival, [*python, "aiosmtplib"], folder),
    }
    if shutil.which("npm") is None:
        print("npm is not installed: nodemailer is left out.", file=sys.stderr)
        return found
    subprocess.run(["npm", "install", "--silent", "--prefix", str(folder), "nodemailer"], check=True)
    pool = ["node", str(RIVALS / "pool.js")]
    return found | {"nodemailer's pool, text and HTML": partial(rival, pool, folder)}


def measure(run: Run, options: argparse.Namespace) -> Told:
    """Runs one sender to a sink of its own, and ends the benchmark unless everything arrived."""
    if run is smtp_source:
        options = argparse.Namespace(**vars(options) | {"messages": options.messages * SOURCE_SENDS})
    with open_sink(options.sink) as sink:
        seconds, processor = run(sink.port, options)
    sink.check(options.messages, options.size)
    return Told(options.messages, seconds, processor, sink.processor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--sizes", type=int, nargs="+", default=[62_980, 20_000], help="bytes of a message")
    parser.add_argument("--sink", choices=SINKS, default=SINKS[0])
    parser.add_argument("--folder", help="where the database is made; a disk, not memory, for honest figures")
    parser.add_argument("--keep", action="store_true", help="keeps the table in RESULTS.md and the README")
    options = parser.parse_args()
    rounds: list[dict[tuple[int, str], Told]] = []
    loads = []
    with tempfile.TemporaryDirectory() as folder:
        measured = candidates(Path(folder))
        for number in range(1, options.rounds + 1):
            told = {}
            for size in options.sizes:
                sized = argparse.Namespace(**vars(options) | {"size": size})
                for name, run in measured.items():
                    told[size, name] = measure(run, sized)
                    loads.append(os.getloadavg()[0])
                    print(
                        f"round {number}, {size}, {name}: {told[size, name].rate:,.0f} a second",
                        file=sys.stderr,
                    )
            rounds.append(told)
    tables = "\n".join(results(list(measured), rounds, median(loads), options))
    print(tables)
    if options.keep:
        keep(tables)


def keep(table: str) -> None:
    """Puts the tables into RESULTS.md, and between its marks in the README."""
    (HERE / "RESULTS.md").write_text(f"# Deliver: measured\n\n{table}")
    before, begin, rest = README.read_text().partition("<!-- deliver: benchmarks/deliver/run.py --keep -->\n")
    _, end, after = rest.partition("<!-- end -->\n")
    README.write_text(f"{before}{begin}{table}{end}{after}")


def crowded(load: float) -> str:
    """What so many processes mean for the figures."""
    if load <= (os.cpu_count() or 1):
        return ""
    return (
        ": more than there are, so the cores were the limit. Everybody was slower than alone, and whoever needs less CPU "
        "looks better"
    )


def results(
    names: list[str], rounds: list[dict[tuple[int, str], Told]], load: float, options: argparse.Namespace
) -> Iterator[str]:
    """The lines of the tables, a table for each size, and under what it was measured. Ratios are beside the first name."""
    fullest = max(
        median(each[key].sink_processor / each[key].seconds for each in rounds) for key in rounds[0]
    )
    yield (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores {platform.machine()}, Python {platform.python_version()}, "
        f"{options.connections} connections, {options.messages:,} messages ({SOURCE_SENDS} times as many of smtp-source), "
        f"{options.rounds} rounds in turn, {INTO[options.sink]}. The sink was at most {fullest:.0%} busy"
        f"{': it was the limit there' if fullest > FULL else ', so it was never the limit'}. "
        f"{load:.1f} processes wanted a core meanwhile, the sender and the sink among them{crowded(load)}."
    )
    for size in options.sizes:
        yield f"\n| {size:,} bytes each | messages/s | beside smtp-source | CPU s/1,000 | sender busy | sink busy |"
        yield "|---|--:|--:|--:|--:|--:|"
        for name in names:
            told = [each[size, name] for each in rounds]
            rate = median(each.rate for each in told)
            ratio = median(each[size, name].rate / each[size, names[0]].rate for each in rounds)
            cost = median(each.processor / each.messages for each in told) * 1000
            busy = median(each.processor / each.seconds for each in told)
            sink = median(each.sink_processor / each.seconds for each in told)
            yield f"| {name} | {rate:,.0f} | {ratio:.2f} | {cost:.2f} | {busy:.0%} | {sink:.0%} |"
    yield ""


if __name__ == "__main__":
    main()
