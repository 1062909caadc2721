"""Readable colors: WCAG 2.2 contrast, and a color moved until its contrast is high enough. Colors are `#rrggbb`."""

_MIN_CONTRAST = 4.5  # WCAG 2.2, 1.4.3, running text
_STEPS = 50


def contrast_ratio(first: str, second: str) -> float:
    """Return the contrast of two colors, from 1 (the same) to 21 (black and white)."""
    darker, lighter = sorted((_luminance(first), _luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def ensure_contrast(color: str, background: str, minimum: float = _MIN_CONTRAST) -> str:
    """Return the color nearest to `color` whose contrast to `background` is at least `minimum`.

    It is mixed with black or white. Every background allows 4.5; where it does not allow `minimum`, the result is
    black or white.
    """
    # At this luminance a background is as far from black as from white.
    target = "#000000" if _luminance(background) > 0.18 else "#ffffff"  # noqa: PLR2004
    mixtures = (_mix(color, target, step / _STEPS) for step in range(_STEPS + 1))
    return next((mixture for mixture in mixtures if contrast_ratio(mixture, background) >= minimum), target)


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _luminance(color: str) -> float:
    red, green, blue = (_linearize(channel / 255) for channel in _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linearize(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB


def _mix(color: str, other: str, ratio: float) -> str:
    pairs = zip(_channels(color), _channels(other), strict=True)
    return "#" + "".join(f"{round(first + (second - first) * ratio):02x}" for first, second in pairs)
