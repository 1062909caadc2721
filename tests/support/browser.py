"""Pages as headless Chromium shows them, on a phone and on a desktop, light and dark: what axe says of each sight.

In: addresses, `file:` or on this machine. Out: `Sight`s. Tests that use it carry the mark `axe`.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from support.factories import REPOSITORY

PHONE, DESKTOP = 320, 1200
"""CSS pixels: the width at which WCAG 2.2 (1.4.10) wants no scrolling to the side, and a usual one."""


SCHEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Look:
    """One way to look at a page: `without` may name `pictures` and `styles`; axe judges it or it is only measured."""

    width: int
    scheme: str = "light"
    without: tuple[str, ...] = ()
    judged: bool = True


EVERYBODY = tuple(Look(width, scheme) for width in (PHONE, DESKTOP) for scheme in SCHEMES)


@dataclass(frozen=True, slots=True)
class Sight:
    """One page at one width in one colour scheme.

    `needs` is the width that the page takes, `wide` what sticks out of the window and scrolls in no box of its own;
    `faults` what axe calls a violation of WCAG 2.2 AA or of good practice, each as `rule: element: message`;
    `elsewhere` what the page asked other hosts for: a large picture is all that it got.
    """

    url: str
    width: int
    scheme: str
    without: tuple[str, ...]
    needs: int
    wide: tuple[str, ...]
    faults: tuple[str, ...]
    elsewhere: tuple[str, ...]
    direction: str
    paper: str


def sights(urls: Iterable[str], looks: Sequence[Look] = EVERYBODY) -> list[Sight]:
    """Every page in every look, in this order."""
    chromium = shutil.which("chromium") or "chromium"
    asked = {"urls": list(urls), "looks": [asdict(look) for look in looks], "chromium": chromium}
    modules = os.pathsep.join([str(REPOSITORY / "node_modules"), os.environ.get("NODE_PATH", "")])
    told = subprocess.run(
        ["node", Path(__file__).with_suffix(".js")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env=os.environ | {"NODE_PATH": modules},
    )
    assert not told.returncode, told.stderr
    return [Sight(**{**each, **_tuples(each)}) for each in json.loads(told.stdout)]


def faults(found: Iterable[Sight], *, but: Sequence[str] = (), elsewhere: bool = True) -> list[str]:
    """What is wrong with these sights, a line each: for an assertion that there is nothing.

    `but` names rules of axe that do not count; what is asked of other hosts counts unless `elsewhere` is false.
    """
    wrong = []
    for sight in found:
        where = ", ".join([f"{sight.url} at {sight.width} px", *(f"no {each}" for each in sight.without)])
        where = f"{where}, {sight.scheme}"
        wrong += [f"{where}: {fault}" for fault in sight.faults if fault.partition(":")[0] not in but]
        wrong += [f"{where}: asks for {url}" for url in sight.elsewhere if elsewhere]
        wrong += [f"{where}: sticks out: {element}" for element in sight.wide[:3]]
        if sight.needs > sight.width:
            wrong.append(f"{where}: is {sight.needs} px wide")
    return wrong


def _tuples(told: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(told[name]) for name in ("faults", "elsewhere", "without", "wide")}
