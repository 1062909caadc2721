"""Render pages in headless Chromium on a phone and a desktop, light and dark, and audit them with axe.

In: URLs, `file:` or on this machine. Out: `RenderedPage`s. Tests that use it have the mark `axe`.
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
"""CSS pixels: the width at which WCAG 2.2 (1.4.10) allows no horizontal scrolling, and a usual one."""


SCHEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class View:
    """One way to show a page. `disabled` may name `pictures` and `styles`; a page that is not audited is only measured."""

    width: int
    scheme: str = "light"
    disabled: tuple[str, ...] = ()
    is_audited: bool = True


ALL_VIEWS = tuple(View(width, scheme) for width in (PHONE, DESKTOP) for scheme in SCHEMES)


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """One page at one width in one color scheme.

    `content_width` is the width that the page needs, `overflowing` the elements outside the window that no box of their
    own scrolls, `violations` axe's violations of WCAG 2.2 AA and good practice as `rule: element: message`, and
    `external_urls` the requests to other hosts.
    """

    url: str
    width: int
    scheme: str
    disabled: tuple[str, ...]
    content_width: int
    overflowing: tuple[str, ...]
    violations: tuple[str, ...]
    external_urls: tuple[str, ...]
    direction: str
    background: str


def render_pages(urls: Iterable[str], views: Sequence[View] = ALL_VIEWS) -> list[RenderedPage]:
    """Render every page in every view, in this order."""
    chromium = shutil.which("chromium") or "chromium"
    request = {"urls": list(urls), "views": [asdict(view) for view in views], "chromium": chromium}
    modules = os.pathsep.join([str(REPOSITORY / "node_modules"), os.environ.get("NODE_PATH", "")])
    process = subprocess.run(
        ["node", Path(__file__).with_suffix(".js")],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env=os.environ | {"NODE_PATH": modules},
    )
    assert not process.returncode, process.stderr
    return [RenderedPage(**{**values, **_to_tuples(values)}) for values in json.loads(process.stdout)]


def find_violations(
    pages: Iterable[RenderedPage], *, allowed: Sequence[str] = (), check_external: bool = True
) -> list[str]:
    """Return the problems of these pages, a line each; a test asserts that there are none.

    `allowed` names rules of axe that do not count. Requests to other hosts count if `check_external`.
    """
    lines = []
    for page in pages:
        location = ", ".join([f"{page.url} at {page.width} px", *(f"no {name}" for name in page.disabled)])
        location = f"{location}, {page.scheme}"
        lines += [
            f"{location}: {violation}"
            for violation in page.violations
            if violation.partition(":")[0] not in allowed
        ]
        lines += [f"{location}: asks for {url}" for url in page.external_urls if check_external]
        lines += [f"{location}: sticks out: {element}" for element in page.overflowing[:3]]
        if page.content_width > page.width:
            lines.append(f"{location}: is {page.content_width} px wide")
    return lines


def _to_tuples(values: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(values[name]) for name in ("faults", "elsewhere", "without", "wide")}
