"""Colours that stay readable: an accent chosen by anybody, on paper of ours, light and dark.

In and out: `#rrggbb`. The measure is the contrast ratio of WCAG 2.2 (1.4.3 asks for 4.5 in running text).
"""

READABLE = 4.5
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_Channels = tuple[int, int, int]


def contrast(one: str, other: str) -> float:
    """The ratio of two colours, from 1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(_channels(one)), _luminance(_channels(other))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable(colour: str, paper: str) -> str:
    """The colour itself, or the nearest shade of it towards black or white that can be read on that paper."""
    goal = _BLACK if _luminance(_channels(paper)) > 0.18 else _WHITE  # noqa: PLR2004 - where black and white contrast alike
    shades = (_mixed(_channels(colour), goal, step / 20) for step in range(21))
    return next(shade for shade in shades if contrast(shade, paper) >= READABLE)


def ink(paper: str) -> str:
    """What to write with on a coloured ground. Never pure black or white: clients that recolour by force spare others."""
    return max(("#fffdfa", "#141210"), key=lambda colour: contrast(colour, paper))


def _channels(colour: str) -> _Channels:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _mixed(colour: _Channels, goal: _Channels, share: float) -> str:
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(colour, goal, strict=True))


def _luminance(colour: _Channels) -> float:
    """Relative luminance (WCAG 2.2, definitions)."""
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - the definition's
