"""Every slot of ten years in every zone: `ketapress queue --json` against what clocks on walls show.

    python benchmarks/calendar/ten_years.py [--from 2020] [--years 10] [--only Europe/Berlin …] [--processes 2]

The reference (tests/support/wall_clock_oracle.py) knows neither our calendar nor cron: it looks at the offset of each zone, cuts time where
it changes, and reads minutes off the wall: eight schedules over all of the
time, and every minute of the hours around the first change of each kind. Prints one line a zone that differs, and a summary; exits 1 on a difference.
Zones whose data are the same bytes are the same zone under another name, and are run once.
"""

# ruff: noqa: PLR2004 - days of weeks and months are what a calendar is made of

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

_PORTION = 16  # zones that a process is given at a time
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


def walls_of(first: int, last: int) -> dict[str, list[int]]:
    """For each schedule, the minutes on walls that it names: day by day, from the table above."""
    days = [((EPOCH + minute * MINUTE).date(), minute) for minute in range(first - first % DAY, last, DAY)]
    return {
        name: [start + at for day, start in days for at in named(day)]
        for name, (_, named) in SCHEDULES.items()
    }


def data_of(zone: str) -> bytes:
    for folder in map(Path, TZPATH):
        if (folder / zone).is_file():
            return (folder / zone).read_bytes()
    return files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()


def different_zones() -> Iterator[tuple[str, int]]:
    """Each zone once, with the number of its names."""
    names: dict[bytes, list[str]] = {}
    for zone in sorted(available_timezones() - {"localtime", "Factory"}):
        names.setdefault(data_of(zone), []).append(zone)
    yield from ((same[0], len(same)) for same in names.values())


def kinds(cut: Sequence[Span]) -> Iterable[Span]:
    """The first change of each kind: from this shift to that one. Around it every minute is looked at."""
    changes = {(before.shift, after.shift): after for before, after in reversed(list(pairwise(cut)))}
    return changes.values()


def queue(
    folder: Path, zone: str, schedules: Mapping[str, str], span: Sequence[int]
) -> dict[str, list[tuple[str, int]]]:
    """What the command says: for each newsletter, keys with their minutes of UTC."""
    newsletters = "".join(
        f'[newsletters.{name}]\ntitle = "{name}"\nschedule = "{cron}"\nstarts = 2000-01-01\nfrom = "a@example.org"\n'
        for name, cron in schedules.items()
    )
    site = (
        f'[site]\ntitle = "Walls"\nurl = "https://example.org"\ntimezone = "{zone}"\npostal_address = "x"\n'
    )
    (folder / "ketapress.toml").write_text(site + newsletters)
    first, last = ((EPOCH + minute * MINUTE).isoformat() for minute in span)
    outcome = CliRunner().invoke(
        ketapress, ["-C", str(folder), "queue", "--json", "--from", first, "--to", last]
    )
    assert outcome.exit_code == 0, outcome.output
    found: dict[str, list[tuple[str, int]]] = {name: [] for name in schedules}
    for slot in json.loads(outcome.stdout)["result"]["slots"]:
        found[slot["newsletter"]].append((slot["slot"], to_minutes(datetime.fromisoformat(slot["at"]))))
    return found


def shown(found: Iterable[tuple[int, int]]) -> list[tuple[str, int]]:
    return sorted((key_of(wall), minute) for minute, wall in found)


@cache
def key_of(wall: int) -> str:
    return (EPOCH + wall * MINUTE).strftime(_KEY)


def compared(
    zone: str, span: Sequence[int], walls: Mapping[str, Sequence[int]], folder: Path
) -> tuple[int, str]:
    """How many slots a zone has in that time, and what the command says otherwise; nothing, where all is right."""
    cut = list(find_spans(zone, span[0] - 3 * DAY, span[1]))
    expected = {name: shown(slots_of(cut, minutes, *span)) for name, minutes in walls.items()}
    said = queue(folder, zone, {name: cron for name, (cron, _) in SCHEDULES.items()}, span)
    for each in kinds(cut):
        around = (each.start - 180, each.start + 180)
        every = range(around[0] - 2 * DAY, around[1] + 2 * DAY)
        expected |= {f"m{each.start}": shown(slots_of(cut, every, *around))}
        said |= {f"m{each.start}": queue(folder, zone, {"m": "* * * * *"}, around)["m"]}
    gc.collect()  # what one call of the command leaves is large, and in circles
    differ = [name for name in expected if sorted(said[name]) != expected[name]]
    odd = sorted(set(said[differ[0]]) ^ set(expected[differ[0]]))[:4] if differ else []
    return sum(map(len, expected.values())), f"{', '.join(differ)} differ, such as {odd}" if differ else ""


def share(zones: Sequence[str], first: int, last: int) -> list[tuple[str, int, str]]:
    """The work of one process."""
    span = [to_minutes(datetime(year, 1, 1, tzinfo=UTC)) for year in (first, last)]
    walls = walls_of(span[0] - 3 * DAY, span[1] + 3 * DAY)
    with tempfile.TemporaryDirectory() as temporary:
        (Path(temporary) / "posts").mkdir()
        return [(zone, *compared(zone, span, walls, Path(temporary))) for zone in zones]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="first", type=int, default=2020)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()
    last = asked.first + asked.years
    zones = dict.fromkeys(asked.only, 1) if asked.only else dict(different_zones())
    parts = [list(zones)[start : start + _PORTION] for start in range(0, len(zones), _PORTION)]
    slots = done = wrong = 0
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        for found in pool.map(share, parts, repeat(asked.first), repeat(last)):
            slots, done = slots + sum(count for _, count, _ in found), done + len(found)
            for zone, _, difference in found:
                wrong += bool(difference)
                if difference:
                    print(f"{zone}: {difference}")
            print(f"{done} of {len(zones)} zones", file=sys.stderr)
    work = sum(getrusage(RUSAGE_CHILDREN)[:2])
    print(
        f"{len(zones)} different zones under {sum(zones.values())} names, {slots:,} slots from {asked.first} to {last}: "
        f"{wrong} zones differ. {work:.0f} s of work."
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
