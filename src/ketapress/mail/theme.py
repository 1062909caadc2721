"""How a letter looks: colours in both schemes, and faces for the scripts of the world.

In: an accent, a theme, a language. Out: values for the templates. Which theme there is a template for each knows:
`templates/mail/THEME.html`.
"""

from typing import NamedTuple

from ketapress.model.colour import contrast, readable
from ketapress.model.language import direction


class Shade(NamedTuple):
    """One colour in both schemes, as `#rrggbb`."""

    light: str
    dark: str


# Never pure black or white: clients that recolour by force turn those around, and spare others.
_WARM = {  # paper and ink by day, charcoal by night
    "page": Shade("#f1ede5", "#111214"),
    "sheet": Shade("#fffdfa", "#1a1c1f"),
    "panel": Shade("#f6f1e9", "#25282c"),
    "foot": Shade("#f6f1e9", "#25282c"),
    "ink": Shade("#25211c", "#e9e5de"),
    "faint": Shade("#645c52", "#aca69c"),
    "rule": Shade("#d9d1c4", "#3d4046"),
}
_COOL = {  # newsprint under a window
    "page": Shade("#e8ebef", "#0f1113"),
    "sheet": Shade("#fdfdfe", "#17191c"),
    "panel": Shade("#f1f3f6", "#22262a"),
    "foot": Shade("#f1f3f6", "#22262a"),
    "ink": Shade("#1c2026", "#e4e7ea"),
    "faint": Shade("#565f6a", "#a6adb5"),
    "rule": Shade("#cdd3da", "#3a4047"),
}
_ONE_PAPER = dict.fromkeys(("page", "foot"), _WARM["sheet"])
_PAPERS = {"magazine": _WARM, "bulletin": _COOL, "letter": _WARM | _ONE_PAPER}

_MONO = "Menlo, Consolas, Liberation Mono, monospace"
_SANS = "Helvetica Neue, Helvetica, Arial, sans-serif"
_LATIN = {"serif": "Georgia, Times New Roman, serif", "sans": _SANS}
_LATIN_LEADING = "29px"
# These scripts know no serif that every reader has: both faces are one.
_RTL_FACES, _RTL_LEADING = "Geeza Pro, Segoe UI, Tahoma, Arial, sans-serif", "32px"
_CJK_FACES, _CJK_LEADING = (
    {
        "zh": "PingFang SC, Microsoft YaHei, Noto Sans CJK SC, Arial, sans-serif",
        "ja": "Hiragino Sans, Yu Gothic, Meiryo, Noto Sans CJK JP, Arial, sans-serif",
        "ko": "Apple SD Gothic Neo, Malgun Gothic, Noto Sans CJK KR, Arial, sans-serif",
    },
    "31px",
)


def colours(accent: str, theme: str) -> dict[str, Shade]:
    """The colours of a theme; the accent is readable on each paper that it stands on."""
    papers = _PAPERS[theme]
    light, dark = readable(accent, papers["panel"].light), readable(accent, papers["panel"].dark)
    return {
        **papers,
        "accent": Shade(light, dark),
        "on_accent": Shade(_ink_on(light), _ink_on(dark)),
    }


def fonts(language: str, font: str) -> dict[str, str]:
    """Stacks of faces that end in a generic one: `text` for what is read, `sans` for labels, `mono` for code.

    `leading` is the height of a line of text; `slant` what a quotation leans to: only Latin has letters for that.
    """
    faces = _CJK_FACES.get(language.partition("-")[0].lower())
    if faces:
        return {"text": faces, "sans": faces, "mono": _MONO, "leading": _CJK_LEADING, "slant": "normal"}
    if direction(language) == "rtl":
        return {
            "text": _RTL_FACES,
            "sans": _RTL_FACES,
            "mono": _MONO,
            "leading": _RTL_LEADING,
            "slant": "normal",
        }
    return {"text": _LATIN[font], "sans": _SANS, "mono": _MONO, "leading": _LATIN_LEADING, "slant": "italic"}


def _ink_on(paper: str) -> str:
    return max(("#fffdfa", "#141210"), key=lambda colour: contrast(colour, paper))
