"""Every slot of ten years in every zone: `ketapress queue --json` against what clocks on walls show.

    python benchmarks/calendar/ten_years.py [--from 2020] [--years 10] [--only Europe/Berlin …]

The reference (tests/walls.py) knows neither our calendar nor cron: it looks at the offset of each zone, cuts time where
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
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from zoneinfo import TZPATH, available_timezones

from click.testing import CliRunner

from ketapress.cli.commands import main as ketapress

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from walls import DAY, EPOCH, MINUTE, Span, minutes_of, slots_of, spans

_KEY = "%Y-%m-%dT%H%M"
SCHEDULES = {
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
        found[slot["newsletter"]].append((slot["slot"], minutes_of(datetime.fromisoformat(slot["at"]))))
    return found


def shown(found: Iterable[tuple[int, int]]) -> list[tuple[str, int]]:
    return sorted(((EPOCH + wall * MINUTE).strftime(_KEY), minute) for minute, wall in found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="first", type=int, default=2020)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--only", nargs="*")
    asked = parser.parse_args()
    span = [minutes_of(datetime(year, 1, 1, tzinfo=UTC)) for year in (asked.first, asked.first + asked.years)]
    walls = walls_of(span[0] - 3 * DAY, span[1] + 3 * DAY)
    zones = [(zone, 1) for zone in asked.only] if asked.only else list(different_zones())
    slots = names = wrong = 0
    began = time.process_time()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "posts").mkdir()
        for zone, count in zones:
            cut = list(spans(zone, span[0] - 3 * DAY, span[1]))
            expected = {name: shown(slots_of(cut, minutes, *span)) for name, minutes in walls.items()}
            said = queue(folder, zone, {name: cron for name, (cron, _) in SCHEDULES.items()}, span)
            for each in kinds(cut):
                around = (each.start - 180, each.start + 180)
                every = range(around[0] - 2 * DAY, around[1] + 2 * DAY)
                expected |= {f"m{each.start}": shown(slots_of(cut, every, *around))}
                said |= {f"m{each.start}": queue(folder, zone, {"m": "* * * * *"}, around)["m"]}
            differ = [name for name in expected if sorted(said[name]) != expected[name]]
            if differ:
                wrong += 1
                name = differ[0]
                odd = sorted(set(said[name]) ^ set(expected[name]))[:4]
                print(f"{zone}: {', '.join(differ)} differ, such as {odd}")
            slots += sum(map(len, expected.values()))
            gc.collect()  # what one call of the command leaves is large, and in circles
            names += count
    print(
        f"{len(zones)} different zones under {names} names, {slots:,} slots from {asked.first} to "
        f"{asked.first + asked.years}: {wrong} zones differ. {time.process_time() - began:.0f} s of work."
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
