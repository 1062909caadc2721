"""What feedgen prints of the usual shapes, printed beforehand: to load it takes as long as to fill three thousand moulds.

`specimens.json` is written by a test, which holds it against the feedgen that is installed. A shape that is not in it is
printed when it is met.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_suffix(".json")


def specimen(shape: tuple[object, ...], printed: Callable[[], str]) -> str:
    """The specimen of a shape, with marks in the place of words; `printed` makes it where it is not known."""
    return _specimens().get(repr(shape)) or printed()


@cache
def _specimens() -> Mapping[str, str]:
    found: dict[str, str] = json.loads(FILE.read_bytes())
    return found
