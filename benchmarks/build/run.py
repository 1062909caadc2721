"""How fast a blog is built, against Hugo, Pelican and Eleventy: cold, with nothing changed, and with one post changed.

All tools build the same posts, one after the other within a round, in an order that moves on with each round. The
figures to trust are the last two columns: the medians, over the rounds, of a tool's time divided by Hugo's in the same
round, which what else the machine does moves least.

    python benchmarks/build/run.py --sizes 100 1000 --rounds 5

The peers are installed beside this file at the first run: that needs PyPI, and npm for Eleventy.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from corpus import article, articles
from tools import HERE, Tool, installed, versions

JOBS = ("cold", "no change", "one changed")
TARGETS = {
    ("cold", 1_000): 0.6,
    ("cold", 10_000): 0.5,
    ("no change", 1_000): 0.05,
    ("one changed", 1_000): 0.2,
}
"""What Ketapress has to reach: its wall time divided by Hugo's."""
LONGEST = 600  # seconds; a build that takes longer is ended and fails the benchmark
SENTENCE = "One sentence more than there was in the first build, of round {}."


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took: seconds on the wall, seconds of CPU (user and system), MiB at its peak.

    A child starts with this process's own peak, some 20 MiB, so that no figure is lower.
    """

    wall: float
    cpu: float
    peak: float


Costs = dict[tuple[str, str], list[Cost]]
"""By tool and job, a cost for each round."""


def measured(tools: Sequence[Tool], count: int, rounds: int, place: Path) -> Costs:
    """Builds the newest `count` articles with all tools, in sites that stand in `place`."""
    sites = {tool.name: place / tool.name for tool in tools}
    for tool in tools:
        tool.lay_out(sites[tool.name])
        for each in articles(count):
            tool.write(sites[tool.name], each)
    costs: Costs = {(tool.name, job): [] for tool in tools for job in JOBS}
    for number in range(rounds):
        first = number % len(tools)
        for job in JOBS:
            for tool in (*tools[first:], *tools[:first]):
                costs[tool.name, job].append(_job(tool, sites[tool.name], job, number, count))
    return costs


def _job(tool: Tool, site: Path, job: str, number: int, count: int) -> Cost:
    newest = article(0)
    sentence = SENTENCE.format(number)
    if job == "cold":
        tool.write(site, newest)
        tool.forget(site)
    elif job == "one changed":
        tool.write(site, newest, more=f"\n{sentence}\n")
    os.sync()  # or the tool that is next would wait for what the last one wrote
    cost = _cost(tool, site)
    _check(tool, site, count, sentence if job == "one changed" else newest.title)
    return cost


def _cost(tool: Tool, site: Path) -> Cost:
    with tempfile.TemporaryFile() as said:
        begun = time.perf_counter()
        process = subprocess.Popen(tool.command, cwd=site, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        watch = threading.Timer(LONGEST, process.kill)
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        watch.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            end = said.read()[-2_000:].decode(errors="replace")
            raise SystemExit(f"{tool.name} ended with {process.returncode} in {site}:\n{end}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def _check(tool: Tool, site: Path, count: int, words: str) -> None:
    """A tool that did less than the job would win: there is a page for each post, and the feed holds these words."""
    pages = sum(1 for _ in (site / "public").rglob("*.html"))
    if pages <= count:
        raise SystemExit(f"{tool.name} wrote {pages} pages for {count} posts and an index.")
    if words not in (site / tool.feed).read_text(encoding="utf-8"):
        raise SystemExit(f"{tool.name}: {tool.feed} does not hold {words!r}.")


def table(results: dict[int, Costs]) -> Iterator[str]:
    """One Markdown table. Seconds and MiB are medians; ratios are medians of the rounds' ratios."""
    yield "| posts | job | tool | wall s | CPU s | peak MiB | wall ÷ Hugo | CPU ÷ Hugo | to reach |"
    yield "|--:|---|---|--:|--:|--:|--:|--:|--:|"
    for count, costs in results.items():
        for job in JOBS:
            for tool in (name for name, each in costs if each == job):
                yield _row(count, job, tool, costs)


def _row(count: int, job: str, tool: str, costs: Costs) -> str:
    own, hugo = costs[tool, job], costs["Hugo", job]
    wall = median(mine.wall / other.wall for mine, other in zip(own, hugo, strict=True))
    cpu = median(mine.cpu / other.cpu for mine, other in zip(own, hugo, strict=True))
    target = TARGETS.get((job, count)) if tool == "Ketapress" else None
    cells = (
        f"{count:,}",
        job,
        f"**{tool}**" if tool == "Ketapress" else tool,
        f"{median(each.wall for each in own):.2f}",
        f"{median(each.cpu for each in own):.2f}",
        f"{median(each.peak for each in own):.0f}",
        f"{wall:.3f}",
        f"{cpu:.3f}",
        f"≤ {target}" if target else "",
    )
    return f"| {' | '.join(cells)} |"


def machine() -> str:
    names = [line.partition(":")[2].strip() for line in _processors() if line.startswith("model name")]
    return f"{os.cpu_count()} cores, {names[0] if names else 'of an unknown model'}"


def _processors() -> list[str]:
    file = Path("/proc/cpuinfo")
    return file.read_text().splitlines() if file.exists() else []


def page(lines: Sequence[str], date: str, rounds: int, disk: str, repeat: str) -> str:
    """The whole of RESULTS.md."""
    return "\n".join(
        (
            "# Building, against Hugo, Pelican and Eleventy",
            "",
            f"{date}; {machine()}; Python {sys.version.split()[0]}; {rounds} rounds; sites {disk}.",
            f"Peers: {versions()}.",
            f"To repeat: `{repeat}`. What is measured, and how: [benchmarks/README.md](../README.md).",
            "",
            *lines,
            "",
        )
    )


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1_000, 10_000], help="numbers of posts")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tools", nargs="+", help="only these, whatever the size; Hugo is always there")
    parser.add_argument(
        "--tmpfs", type=Path, metavar="DIR", help="a folder in memory, for sites that no disk slows down"
    )
    parser.add_argument("--date", help="also write RESULTS.md, with this date in it")
    return parser.parse_args()


def main() -> None:
    asked = options()
    tools = installed()
    results = {}
    for count in asked.sizes:
        chosen = [tool for tool in tools if _takes_part(tool, count, asked.tools)]
        print(f"{count} posts: {', '.join(tool.name for tool in chosen)}", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="ketapress-benchmark-", dir=asked.tmpfs) as place:
            results[count] = measured(chosen, count, asked.rounds, Path(place))
    lines = list(table(results))
    print("\n".join(lines))
    if asked.date:
        disk = "in memory" if asked.tmpfs else "on disk"
        repeat = f"python benchmarks/build/run.py --sizes {' '.join(map(str, asked.sizes))} --rounds {asked.rounds}"
        (HERE / "RESULTS.md").write_text(
            page(lines, asked.date, asked.rounds, disk, repeat), encoding="utf-8"
        )


def _takes_part(tool: Tool, count: int, asked: Sequence[str] | None) -> bool:
    if asked:
        return tool.name in {"Hugo", *asked}
    return count <= tool.largest


if __name__ == "__main__":
    main()
