"""Pages as headless Chromium shows them, on a phone and on a desktop, light and dark: what axe says of each sight.

In: addresses, `file:` or on this machine. Out: `Sight`s. Tests that use it carry the mark `axe`.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from factories import REPOSITORY

PHONE, DESKTOP = 320, 1200
"""CSS pixels: the width at which WCAG 2.2 (1.4.10) wants no scrolling to the side, and a usual one."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One page at one width in one colour scheme.

    `needs` is the width that the page takes; `faults` what axe calls a violation of WCAG 2.2 AA or of good practice,
    each as `rule: element: message`; `elsewhere` what the page asked other hosts for, which it did not get.
    """

    url: str
    width: int
    scheme: str
    needs: int
    faults: tuple[str, ...]
    elsewhere: tuple[str, ...]
    direction: str
    paper: str


def sights(
    urls: Iterable[str],
    *,
    widths: Sequence[int] = (PHONE, DESKTOP),
    schemes: Sequence[str] = ("light", "dark"),
) -> list[Sight]:
    """Every page at every width in every scheme, in this order."""
    chromium = shutil.which("chromium") or "chromium"
    asked = {"urls": list(urls), "widths": widths, "schemes": schemes, "chromium": chromium}
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


def faults(found: Iterable[Sight]) -> list[str]:
    """What is wrong with these sights, a line each: for an assertion that there is nothing."""
    wrong = []
    for sight in found:
        where = f"{sight.url} at {sight.width} px, {sight.scheme}"
        wrong += [f"{where}: {fault}" for fault in sight.faults]
        wrong += [f"{where}: asks for {url}" for url in sight.elsewhere]
        if sight.needs > sight.width:
            wrong.append(f"{where}: is {sight.needs} px wide")
    return wrong


def _tuples(told: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(told[name]) for name in ("faults", "elsewhere")}
