"""Compare `ketapress queue --json` with a reference for every slot of ten years in every time zone.

    python benchmarks/calendar/ten_years.py [--from 2020] [--years 10] [--only Europe/Berlin …] [--processes 2]

The reference (tests/support/wall_clock_oracle.py) uses neither Ketapress's calendar nor cron: it finds the changes of a
zone's offset and derives local minutes from them. Eight schedules are compared over all years, and every minute of the
hours before and after the first change of each kind. Prints a line for each zone that differs, and a summary; exits 1 on
a difference. Zones with the same data are one zone with several names, and run once.
"""

# ruff: noqa: PLR2004 - a calendar consists of numbers of days, weeks and months

import argparse
import gc
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise, repeat
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from zoneinfo import TZPATH, available_timezones

from click.testing import CliRunner

from ketapress.cli.main import main as ketapress

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from support.wall_clock_oracle import DAY, EPOCH, MINUTE, Span, find_spans, slots_of, to_minutes

_BATCH_SIZE = 16  # zones that a process compares at a time
_KEY = "%Y-%m-%dT%H%M"
SCHEDULES: dict[str, tuple[str, Callable[[date], Iterable[int]]]] = {
    "hourly": ("0 * * * *", lambda _day: range(0, DAY, 60)),
    "gaps": ("30 1,2,3 * * *", lambda _day: (90, 150, 210)),
    "midnight": ("0 0 * * *", lambda _day: (0,)),
    "late": ("59 23 31 * *", lambda day: (1439,) if day.day == 31 else ()),
    "sundays": ("15 0 * * 0", lambda day: (15,) if day.weekday() == 6 else ()),
    "last": ("45 0 L * *", lambda day: (45,) if (day + timedelta(days=1)).day == 1 else ()),
    "leap": ("0 2 29 2 *", lambda day: (120,) if (day.month, day.day) == (2, 29) else ()),
    "lastfri": ("monthly last fri 02:30", lambda day: (150,) if day.weekday() == 4 and _is_last(day) else ()),
}


def _is_last(day: date) -> bool:
    return (day + timedelta(days=7)).month != day.month


def list_wall_minutes(first: int, last: int) -> dict[str, list[int]]:
    """Return the local minutes of each schedule, in order, from `SCHEDULES`."""
    days = [((EPOCH + minute * MINUTE).date(), minute) for minute in range(first - first % DAY, last, DAY)]
    return {
        name: [start + at for day, start in days for at in minutes_of_day(day)]
        for name, (_, minutes_of_day) in SCHEDULES.items()
    }


def read_zone_data(zone: str) -> bytes:
    for folder in map(Path, TZPATH):
        if (folder / zone).is_file():
            return (folder / zone).read_bytes()
    return files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()


def list_distinct_zones() -> Iterator[tuple[str, int]]:
    """Yield each zone once, with the number of its names."""
    names: dict[bytes, list[str]] = {}
    for zone in sorted(available_timezones() - {"localtime", "Factory"}):
        names.setdefault(read_zone_data(zone), []).append(zone)
    yield from ((same[0], len(same)) for same in names.values())


def first_changes(zone_spans: Sequence[Span]) -> Iterable[Span]:
    """Return the span after the first change of each kind; a kind is a pair of shifts."""
    changes = {(before.shift, after.shift): after for before, after in reversed(list(pairwise(zone_spans)))}
    return changes.values()


def run_queue(
    folder: Path, zone: str, schedules: Mapping[str, str], span: Sequence[int]
) -> dict[str, list[tuple[str, int]]]:
    """Run `queue` and return its slots for each newsletter: keys with their minutes of UTC."""
    newsletters = "".join(
        f'[newsletters.{name}]\ntitle = "{name}"\nschedule = "{cron}"\nstarts = 2000-01-01\nfrom = "a@example.org"\n'
        for name, cron in schedules.items()
    )
    site = (
        f'[site]\ntitle = "Slots"\nurl = "https://example.org"\ntimezone = "{zone}"\npostal_address = "x"\n'
    )
    (folder / "ketapress.toml").write_text(site + newsletters)
    first, last = ((EPOCH + minute * MINUTE).isoformat() for minute in span)
    result = CliRunner().invoke(
        ketapress, ["-C", str(folder), "queue", "--json", "--from", first, "--to", last]
    )
    assert result.exit_code == 0, result.output
    slots: dict[str, list[tuple[str, int]]] = {name: [] for name in schedules}
    for slot in json.loads(result.stdout)["result"]["slots"]:
        slots[slot["newsletter"]].append((slot["slot"], to_minutes(datetime.fromisoformat(slot["at"]))))
    return slots


def format_slots(slots: Iterable[tuple[int, int]]) -> list[tuple[str, int]]:
    return sorted((format_key(wall), minute) for minute, wall in slots)


@cache
def format_key(wall: int) -> str:
    return (EPOCH + wall * MINUTE).strftime(_KEY)


def compare_zone(
    zone: str, span: Sequence[int], wall_minutes: Mapping[str, Sequence[int]], folder: Path
) -> tuple[int, str]:
    """Return the number of slots of a zone in that time, and a sentence about the differences, empty without any."""
    zone_spans = list(find_spans(zone, span[0] - 3 * DAY, span[1]))
    expected = {
        name: format_slots(slots_of(zone_spans, minutes, *span)) for name, minutes in wall_minutes.items()
    }
    actual = run_queue(folder, zone, {name: cron for name, (cron, _) in SCHEDULES.items()}, span)
    for change in first_changes(zone_spans):
        window = (change.start - 180, change.start + 180)
        minutes = range(window[0] - 2 * DAY, window[1] + 2 * DAY)
        expected |= {f"m{change.start}": format_slots(slots_of(zone_spans, minutes, *window))}
        actual |= {f"m{change.start}": run_queue(folder, zone, {"m": "* * * * *"}, window)["m"]}
    gc.collect()  # a call of the command leaves large reference cycles
    differences = [name for name in expected if sorted(actual[name]) != expected[name]]
    examples = sorted(set(actual[differences[0]]) ^ set(expected[differences[0]]))[:4] if differences else []
    return sum(
        map(len, expected.values())
    ), f"{', '.join(differences)} differ, such as {examples}" if differences else ""


def compare_zones(zones: Sequence[str], first: int, last: int) -> list[tuple[str, int, str]]:
    """Compare a batch of zones in this process."""
    span = [to_minutes(datetime(year, 1, 1, tzinfo=UTC)) for year in (first, last)]
    wall_minutes = list_wall_minutes(span[0] - 3 * DAY, span[1] + 3 * DAY)
    with tempfile.TemporaryDirectory() as temporary:
        (Path(temporary) / "posts").mkdir()
        return [(zone, *compare_zone(zone, span, wall_minutes, Path(temporary))) for zone in zones]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="first", type=int, default=2020)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    last = options.first + options.years
    zones = dict.fromkeys(options.only, 1) if options.only else dict(list_distinct_zones())
    batches = [list(zones)[start : start + _BATCH_SIZE] for start in range(0, len(zones), _BATCH_SIZE)]
    slot_count = done_count = difference_count = 0
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        for results in pool.map(compare_zones, batches, repeat(options.first), repeat(last)):
            slot_count, done_count = (
                slot_count + sum(count for _, count, _ in results),
                done_count + len(results),
            )
            for zone, _, difference in results:
                difference_count += bool(difference)
                if difference:
                    print(f"{zone}: {difference}")
            print(f"{done_count} of {len(zones)} zones", file=sys.stderr)
    cpu_seconds = sum(getrusage(RUSAGE_CHILDREN)[:2])
    print(
        f"{len(zones)} distinct zones with {sum(zones.values())} names, {slot_count:,} slots from {options.first} to {last}: "
        f"{difference_count} zones differ. {cpu_seconds:.0f} s of CPU."
    )
    return 1 if difference_count else 0


if __name__ == "__main__":
    sys.exit(main())
