"""Compare builds of Ketapress, Hugo, Pelican and Eleventy: cold, without a change, and with one changed post.

Hugo takes part twice: with the smallest theme, and with a theme that writes what Ketapress writes (Hugo-same-work).
All tools build the same posts, one after the other within a round, in an order that rotates with each round. The most
reliable figures are the ratios: the medians, over the rounds, of Ketapress's time divided by a peer's in the same round,
which depend least on the load of the machine.

    python benchmarks/build/run.py --sizes 100 1000 --rounds 5

The first run installs the peers in the folder of this file, which requires PyPI, and npm for Eleventy. With
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

from corpus import make_article, make_articles
from kinds import Size, format_comparison, measure_sizes
from tools import HERE, Tool, install_tools, ketapress_of, this_ketapress, versions

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
"""Upper limits of Ketapress's wall time divided by that of Hugo-same-work; shown in the table, not enforced."""
COUNTED_TOOLS = ("Ketapress", "Hugo-same-work", "Hugo", "Other checkout")
"""The tools whose files are counted."""
SMALL = 0.1  # a smaller ratio is printed with three decimals
MAX_SECONDS = 600  # seconds; a build that takes longer is ended and fails the benchmark
SENTENCE = "A sentence that the first build of round {} did not have."


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one run: wall seconds, CPU seconds (user and system), peak MiB.

    A child process starts with the peak of this process, about 20 MiB, so that no figure is lower.
    """

    wall: float
    cpu: float
    peak: float


Costs = dict[tuple[str, str], list[Cost]]
"""The costs of all rounds, by tool and job."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result for one number of posts: the costs, and the sizes of what some tools wrote, by tool and kind."""

    costs: Costs
    sizes: dict[str, dict[str, Size]]

    def tools(self) -> list[str]:
        return [tool for tool, job in self.costs if job == JOBS[0]]


def measure(tools: Sequence[Tool], count: int, rounds: int, folder: Path) -> Result:
    """Build the newest `count` articles with all tools, in sites inside `folder`, and return the result."""
    sites = {tool.name: folder / tool.name for tool in tools}
    for tool in tools:
        tool.lay_out(sites[tool.name])
        for article in make_articles(count):
            tool.write(sites[tool.name], article)
    costs: Costs = {(tool.name, job): [] for tool in tools for job in JOBS}
    for number in range(rounds):
        first = number % len(tools)
        for job in JOBS:
            for tool in (*tools[first:], *tools[:first]):
                costs[tool.name, job].append(_run_job(tool, sites[tool.name], job, number, count))
    return Result(
        costs, {name: measure_sizes(sites[name] / "public") for name in COUNTED_TOOLS if name in sites}
    )


def _run_job(tool: Tool, site: Path, job: str, number: int, count: int) -> Cost:
    newest = make_article(0)
    sentence = SENTENCE.format(number)
    if job == "cold":
        tool.write(site, newest)
        tool.forget(site)
    elif job == "one changed":
        tool.write(site, newest, addition=f"\n{sentence}\n")
    os.sync()  # otherwise the next tool waits for the writes of the last one
    cost = _measure_cost(tool, site)
    _check(tool, site, count, sentence if job == "one changed" else newest.title)
    return cost


def _measure_cost(tool: Tool, site: Path) -> Cost:
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            tool.command, cwd=site, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        timer = threading.Timer(MAX_SECONDS, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            end = output.read()[-2_000:].decode(errors="replace")
            raise SystemExit(f"{tool.name} ended with {process.returncode} in {site}:\n{end}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _check(tool: Tool, site: Path, count: int, text: str) -> None:
    """Exit unless there is a page for each post and the feed contains `text`: doing less would look faster."""
    pages = sum(1 for _ in (site / "public").rglob("*.html"))
    if pages <= count:
        raise SystemExit(f"{tool.name} wrote {pages} pages for {count} posts and an index.")
    if text not in (site / tool.feed).read_text(encoding="utf-8"):
        raise SystemExit(f"{tool.name}: {tool.feed} does not contain {text!r}.")


def format_costs(results: dict[int, Result]) -> Iterator[str]:
    """Yield a Markdown table of the costs of each tool: medians of the rounds."""
    yield "| posts | job | tool | wall s | CPU s | peak MiB |"
    yield "|--:|---|---|--:|--:|--:|"
    for count, result in results.items():
        for job in JOBS:
            for tool in result.tools():
                costs = result.costs[tool, job]
                wall, cpu = median(cost.wall for cost in costs), median(cost.cpu for cost in costs)
                peak = median(cost.peak for cost in costs)
                yield f"| {count:,} | {job} | {tool} | {wall:.2f} | {cpu:.2f} | {peak:.0f} |"


def format_peer_ratios(results: dict[int, Result]) -> Iterator[str]:
    """Yield a Markdown table of Ketapress's time divided by each peer's, with the limits."""
    yield "| posts | job | Ketapress ÷ | wall | CPU | limit of wall |"
    yield "|--:|---|---|--:|--:|--:|"
    for count, result in results.items():
        for job in JOBS:
            for peer in result.tools():
                if peer != OURS:
                    ours, theirs = result.costs[OURS, job], result.costs[peer, job]
                    limit = LIMITS.get((job, count)) if peer == "Hugo-same-work" else None
                    yield (
                        f"| {count:,} | {job} | {peer} | {format_ratio(ours, theirs, _wall)} | {format_ratio(ours, theirs, _cpu)}"
                        f" | {f'≤ {limit}' if limit else ''} |"
                    )


def format_checkout_ratios(results: dict[int, Result]) -> Iterator[str]:
    """Yield a Markdown table of the other checkout's cost divided by this one's: 1.15 is 15 % more."""
    yield "| posts | job | other ÷ this: wall | CPU | peak memory |"
    yield "|--:|---|--:|--:|--:|"
    for count, result in results.items():
        (other,) = (tool for tool in result.tools() if tool != OURS)
        for job in JOBS:
            theirs, ours = result.costs[other, job], result.costs[OURS, job]
            cells = (format_ratio(theirs, ours, figure) for figure in (_wall, _cpu, _peak))
            yield f"| {count:,} | {job} | {' | '.join(cells)} |"


def format_ratio(above: Sequence[Cost], below: Sequence[Cost], figure: Callable[[Cost], float]) -> str:
    """Return the median of the rounds' ratios, with the lowest and the highest."""
    ratios = [figure(one) / figure(other) for one, other in zip(above, below, strict=True)]
    digits = 3 if median(ratios) < SMALL else 2
    return f"{median(ratios):.{digits}f} ({min(ratios):.{digits}f} to {max(ratios):.{digits}f})"


def _wall(cost: Cost) -> float:
    return cost.wall


def _cpu(cost: Cost) -> float:
    return cost.cpu


def _peak(cost: Cost) -> float:
    return cost.peak


def format_files(results: dict[int, Result]) -> Iterator[str]:
    """Yield, for each number of posts, a Markdown table of the files of Ketapress and Hugo, or of two checkouts."""
    for count, result in results.items():
        yield f"Files of {count:,} posts:"
        yield ""
        yield from format_comparison(result.sizes)
        yield ""


def describe_machine() -> str:
    return f"{os.cpu_count()} cores {platform.machine()}"


def format_page(lines: Sequence[str], date: str, rounds: int, disk: str, repeat: str) -> str:
    """Return the text of RESULTS.md."""
    return "\n".join(
        (
            "# Building, against Hugo, Pelican and Eleventy",
            "",
            f"{date}; {describe_machine()}; Python {sys.version.split()[0]}; {rounds} rounds; sites {disk}.",
            f"Peers: {versions()}.",
            f"To repeat: `{repeat}`. What is measured, and how: [benchmarks/README.md](../README.md).",
            "",
            *lines,
            "",
        )
    )


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1_000], help="numbers of posts")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--tools", nargs="+", help="use only these, with all sizes; Ketapress and Hugo are always included"
    )
    parser.add_argument(
        "--against-checkout",
        type=Path,
        metavar="DIR",
        help="compare only with the Ketapress of another checkout, which has a .venv",
    )
    parser.add_argument(
        "--tmpfs",
        type=Path,
        metavar="DIR",
        help="a folder in memory for the sites, to exclude the time of the disk",
    )
    parser.add_argument("--date", help="also write RESULTS.md, with this date")
    options = parser.parse_args()
    if options.against_checkout and (options.tools or options.date):
        parser.error("--against-checkout cannot be combined with --tools or --date")
    return options


def main() -> None:
    options = parse_options()
    tools = _tools(options)
    results = {}
    for count in options.sizes:
        participants = [tool for tool in tools if _takes_part(tool, count, options.tools)]
        print(f"{count} posts: {', '.join(tool.name for tool in participants)}", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="ketapress-benchmark-", dir=options.tmpfs) as folder:
            results[count] = measure(participants, count, options.rounds, Path(folder))
    ratios = format_checkout_ratios if options.against_checkout else format_peer_ratios
    lines = [*ratios(results), "", *format_costs(results), "", *format_files(results)]
    print("\n".join(lines))
    if options.date:
        disk = "in memory" if options.tmpfs else "on disk"
        repeat = f"python benchmarks/build/run.py --sizes {' '.join(map(str, options.sizes))} --rounds {options.rounds}"
        (HERE / "RESULTS.md").write_text(
            format_page(lines, options.date, options.rounds, disk, repeat), encoding="utf-8"
        )


def _tools(options: argparse.Namespace) -> list[Tool]:
    if not options.against_checkout:
        return install_tools()
    return [this_ketapress(), ketapress_of(options.against_checkout)]


def _takes_part(tool: Tool, count: int, names: Sequence[str] | None) -> bool:
    if names:
        return tool.name in {*COUNTED_TOOLS, *names}
    return count <= tool.largest


if __name__ == "__main__":
    main()
