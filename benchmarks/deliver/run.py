"""How fast an edition goes out, beside the mail libraries that others use and Postfix's own load generator.

Everybody sends messages of the same size to `smtp-sink` over the same number of connections, one after the other, in
turn; a figure is the median over the rounds, a ratio the median of the paired ratios. Ours does all that it does in
service: claims from SQLite, stamps, commits an intent before each dot, writes results. The libraries keep no ledger;
smtplib and aiosmtplib get finished bytes, nodemailer (its pool) text and HTML, as its users do.

    python benchmarks/deliver/run.py --messages 3000 --rounds 3

Needs Debian's postfix (its daemon is not started); npm, where nodemailer is to be measured. What it measures it installs
in a folder that is gone afterwards.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

from ours_vs_smtp_source import one_run, sink, smtp_source

HERE = Path(__file__).parent
RIVALS = HERE / "rivals"
README = HERE.parent.parent / "README.md"
Told = tuple[float, float | None]
"""Seconds of a run, and of the processor where the program itself can tell."""
Run = Callable[[argparse.Namespace], Told]


def source(options: argparse.Namespace) -> Told:
    with sink() as port:
        return smtp_source(port, options), None


def ours(durability: str, options: argparse.Namespace) -> Told:
    told = one_run(argparse.Namespace(**vars(options) | {"durability": durability}))
    return told["seconds"], told["processor"]


def rival(words: list[str], folder: Path, options: argparse.Namespace) -> Told:
    environment = os.environ | {"NODE_PATH": str(folder / "node_modules"), "PYTHONPATH": str(folder)}
    with sink() as port:
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
        "smtp-source -d (C, no ledger, filler)": source,
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--size", type=int, default=62_980)
    parser.add_argument("--folder", help="where the database is made; a disk, not memory, for honest figures")
    parser.add_argument("--keep", action="store_true", help="keeps the table in RESULTS.md and the README")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = candidates(Path(folder))
        rounds = [{name: run(options) for name, run in measured.items()} for _ in range(options.rounds)]
    table = results(list(measured), rounds, options)
    print(table)
    if options.keep:
        keep(table)


def keep(table: str) -> None:
    """Puts the table into RESULTS.md, and between its marks in the README."""
    (HERE / "RESULTS.md").write_text(f"# Deliver: measured\n\n{table}")
    before, begin, rest = README.read_text().partition("<!-- deliver: benchmarks/deliver/run.py --keep -->\n")
    _, end, after = rest.partition("<!-- end -->\n")
    README.write_text(f"{before}{begin}{table}{end}{after}")


def results(names: list[str], rounds: list[dict[str, Told]], options: argparse.Namespace) -> str:
    """The table, and under what it was measured. Ratios are beside the first name."""
    lines = [
        (
            f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores {platform.machine()}, Python {platform.python_version()}, "
            f"{options.connections} connections, {options.messages:,} messages of {options.size:,} bytes into smtp-sink, "
            f"{options.rounds} rounds in turn. {os.getloadavg()[1]:.1f} processes wanted the processor meanwhile: where "
            "that is far more than the cores, whoever needs less of it looks better.\n"
        ),
        "| sender | messages/s | beside smtp-source | processor s/1,000 |",
        "|---|--:|--:|--:|",
    ]
    for name in names:
        rate = median(options.messages / each[name][0] for each in rounds)
        ratio = median(each[names[0]][0] / each[name][0] for each in rounds)
        used = [each[name][1] for each in rounds]
        processor = median(each for each in used if each is not None) if any(used) else None
        cost = "" if processor is None else f"{processor / options.messages * 1000:.2f}"
        lines.append(f"| {name} | {rate:,.0f} | {ratio:.2f} | {cost} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
