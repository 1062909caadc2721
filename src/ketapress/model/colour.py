"""Colours that can be read: an accent of the editors' choice, moved until it stands out from the paper.

In and out: `#rrggbb`. The measure is the contrast of WCAG 2.2.
"""

_READABLE = 4.5  # WCAG 2.2, 1.4.3, running text
_STEPS = 50


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 (the same) to 21 (black and white)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def readable(colour: str, paper: str, least: float = _READABLE) -> str:
    """The colour nearest to `colour` that has that contrast to `paper`, mixed with black or white.

    Every paper allows 4.5; where it does not allow what is asked for, the colour is black or white.
    """
    ink = "#000000" if _luminance(paper) > 0.18 else "#ffffff"  # noqa: PLR2004 - as far from black as from white
    mixtures = (_mixed(colour, ink, step / _STEPS) for step in range(_STEPS + 1))
    return next((mixture for mixture in mixtures if contrast(mixture, paper) >= least), ink)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB


def _mixed(colour: str, other: str, part: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(one + (another - one) * part):02x}" for one, another in pairs)
