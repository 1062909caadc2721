"""How fast a blog is built, against Hugo, Pelican and Eleventy: cold, with nothing changed, and with one post changed.

Hugo takes part twice: with the smallest theme, and with a theme that writes what Ketapress writes (Hugo-same-work).
All tools build the same posts, one after the other within a round, in an order that moves on with each round. The
figures to trust are the ratios: the medians, over the rounds, of Ketapress's time divided by a peer's in the same
round, which what else the machine does moves least.

    python benchmarks/build/run.py --sizes 100 1000 --rounds 5

The peers are installed beside this file at the first run: that needs PyPI, and npm for Eleventy. With
`--against-checkout DIR`, the only peer is the Ketapress in `DIR/.venv`, and the ratios are its cost divided by this one's.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from corpus import article, articles
from kinds import Size, compare, sizes
from tools import HERE, Tool, installed, ketapress_of, this_ketapress, versions

JOBS = ("cold", "no change", "one changed")
OURS = "Ketapress"
LIMITS = {
    ("cold", 1_000): 0.75,
    ("cold", 10_000): 0.6,
    ("no change", 1_000): 0.05,
    ("no change", 10_000): 0.05,
    ("one changed", 1_000): 0.25,
    ("one changed", 10_000): 0.25,
}
"""What Ketapress has to stay below: its wall time divided by that of Hugo doing the same work. Nothing fails by it."""
WRITERS = ("Ketapress", "Hugo-same-work", "Hugo", "Other checkout")
"""The tools whose files are counted."""
SMALL = 0.1  # a ratio below it is written with a third digit
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


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured with one number of posts: the costs, and what some tools wrote, by tool and kind."""

    costs: Costs
    written: dict[str, dict[str, Size]]

    def tools(self) -> list[str]:
        return [tool for tool, job in self.costs if job == JOBS[0]]


def measured(tools: Sequence[Tool], count: int, rounds: int, place: Path) -> Result:
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
    return Result(costs, {name: sizes(sites[name] / "public") for name in WRITERS if name in sites})


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


def table(results: dict[int, Result]) -> Iterator[str]:
    """A Markdown table of what each tool took: medians of the rounds."""
    yield "| posts | job | tool | wall s | CPU s | peak MiB |"
    yield "|--:|---|---|--:|--:|--:|"
    for count, result in results.items():
        for job in JOBS:
            for tool in result.tools():
                costs = result.costs[tool, job]
                wall, cpu = median(cost.wall for cost in costs), median(cost.cpu for cost in costs)
                peak = median(cost.peak for cost in costs)
                yield f"| {count:,} | {job} | {tool} | {wall:.2f} | {cpu:.2f} | {peak:.0f} |"


def peers_table(results: dict[int, Result]) -> Iterator[str]:
    """A Markdown table of Ketapress's time divided by each peer's, with the limits."""
    yield "| posts | job | Ketapress ÷ | wall | CPU | limit of wall |"
    yield "|--:|---|---|--:|--:|--:|"
    for count, result in results.items():
        for job in JOBS:
            for peer in result.tools():
                if peer != OURS:
                    ours, theirs = result.costs[OURS, job], result.costs[peer, job]
                    limit = LIMITS.get((job, count)) if peer == "Hugo-same-work" else None
                    yield (
                        f"| {count:,} | {job} | {peer} | {ratio(ours, theirs, _wall)} | {ratio(ours, theirs, _cpu)}"
                        f" | {f'≤ {limit}' if limit else ''} |"
                    )


def checkouts_table(results: dict[int, Result]) -> Iterator[str]:
    """A Markdown table of the other checkout's cost divided by this one's: 1.15 means that the other takes 15 % more."""
    yield "| posts | job | other ÷ this: wall | CPU | peak memory |"
    yield "|--:|---|--:|--:|--:|"
    for count, result in results.items():
        (other,) = (tool for tool in result.tools() if tool != OURS)
        for job in JOBS:
            theirs, ours = result.costs[other, job], result.costs[OURS, job]
            cells = (ratio(theirs, ours, figure) for figure in (_wall, _cpu, _peak))
            yield f"| {count:,} | {job} | {' | '.join(cells)} |"


def ratio(above: Sequence[Cost], below: Sequence[Cost], figure: Callable[[Cost], float]) -> str:
    """The median of the rounds' ratios, and the lowest and the highest of them."""
    ratios = [figure(one) / figure(other) for one, other in zip(above, below, strict=True)]
    digits = 3 if median(ratios) < SMALL else 2
    return f"{median(ratios):.{digits}f} ({min(ratios):.{digits}f} to {max(ratios):.{digits}f})"


def _wall(cost: Cost) -> float:
    return cost.wall


def _cpu(cost: Cost) -> float:
    return cost.cpu


def _peak(cost: Cost) -> float:
    return cost.peak


def files_tables(results: dict[int, Result]) -> Iterator[str]:
    """For each number of posts, a Markdown table of what Ketapress and Hugo, or two checkouts, wrote."""
    for count, result in results.items():
        yield f"Files of {count:,} posts:"
        yield ""
        yield from compare(result.written)
        yield ""


def machine() -> str:
    return f"{os.cpu_count()} cores {platform.machine()}"


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
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1_000], help="numbers of posts")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--tools", nargs="+", help="only these, whatever the size; Ketapress and Hugo are always there"
    )
    parser.add_argument(
        "--against-checkout",
        type=Path,
        metavar="DIR",
        help="compare with the Ketapress of another checkout, which has a .venv, and with nothing else",
    )
    parser.add_argument(
        "--tmpfs", type=Path, metavar="DIR", help="a folder in memory, for sites that no disk slows down"
    )
    parser.add_argument("--date", help="also write RESULTS.md, with this date in it")
    asked = parser.parse_args()
    if asked.against_checkout and (asked.tools or asked.date):
        parser.error("--against-checkout goes without --tools and without --date")
    return asked


def main() -> None:
    asked = options()
    tools = _tools(asked)
    results = {}
    for count in asked.sizes:
        chosen = [tool for tool in tools if _takes_part(tool, count, asked.tools)]
        print(f"{count} posts: {', '.join(tool.name for tool in chosen)}", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="ketapress-benchmark-", dir=asked.tmpfs) as place:
            results[count] = measured(chosen, count, asked.rounds, Path(place))
    ratios = checkouts_table if asked.against_checkout else peers_table
    lines = [*ratios(results), "", *table(results), "", *files_tables(results)]
    print("\n".join(lines))
    if asked.date:
        disk = "in memory" if asked.tmpfs else "on disk"
        repeat = f"python benchmarks/build/run.py --sizes {' '.join(map(str, asked.sizes))} --rounds {asked.rounds}"
        (HERE / "RESULTS.md").write_text(
            page(lines, asked.date, asked.rounds, disk, repeat), encoding="utf-8"
        )


def _tools(asked: argparse.Namespace) -> list[Tool]:
    if not asked.against_checkout:
        return installed()
    return [this_ketapress(), ketapress_of(asked.against_checkout)]


def _takes_part(tool: Tool, count: int, asked: Sequence[str] | None) -> bool:
    if asked:
        return tool.name in {*WRITERS, *asked}
    return count <= tool.largest


if __name__ == "__main__":
    main()
