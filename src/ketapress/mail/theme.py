"""Colors of the mail themes in the light and the dark scheme, and font stacks by script.

Each theme has a template: `templates/mail/THEME.html`. The keys of both mappings are names that templates use.
"""

from typing import NamedTuple

from ketapress.model.color import contrast_ratio, ensure_contrast
from ketapress.model.language import text_direction


class ThemeColor(NamedTuple):
    """A color in both schemes, as `#rrggbb`."""

    light: str
    dark: str


# No pure black or white: clients that force a dark scheme invert those and leave others alone.
_WARM_PALETTE = {
    "page": ThemeColor("#f1ede5", "#111214"),
    "sheet": ThemeColor("#fffdfa", "#1a1c1f"),
    "panel": ThemeColor("#f6f1e9", "#25282c"),
    "foot": ThemeColor("#f6f1e9", "#25282c"),
    "ink": ThemeColor("#25211c", "#e9e5de"),
    "faint": ThemeColor("#645c52", "#aca69c"),
    "rule": ThemeColor("#d9d1c4", "#3d4046"),
}
_COOL_PALETTE = {
    "page": ThemeColor("#e8ebef", "#0f1113"),
    "sheet": ThemeColor("#fdfdfe", "#17191c"),
    "panel": ThemeColor("#f1f3f6", "#22262a"),
    "foot": ThemeColor("#f1f3f6", "#22262a"),
    "ink": ThemeColor("#1c2026", "#e4e7ea"),
    "faint": ThemeColor("#565f6a", "#a6adb5"),
    "rule": ThemeColor("#cdd3da", "#3a4047"),
}
_SINGLE_BACKGROUND = dict.fromkeys(("page", "foot"), _WARM_PALETTE["sheet"])
_PALETTES = {
    "magazine": _WARM_PALETTE,
    "bulletin": _COOL_PALETTE,
    "letter": _WARM_PALETTE | _SINGLE_BACKGROUND,
}

_MONO_FONTS = "Menlo, Consolas, Liberation Mono, monospace"
_SANS_FONTS = "Helvetica Neue, Helvetica, Arial, sans-serif"
_LATIN_FONTS = {"serif": "Georgia, Times New Roman, serif", "sans": _SANS_FONTS}
_LATIN_LEADING = "29px"
# For these scripts no serif font is installed everywhere: `serif` and `sans` are the same.
_RTL_FONTS, _RTL_LEADING = "Geeza Pro, Segoe UI, Tahoma, Arial, sans-serif", "32px"
_CJK_FONTS, _CJK_LEADING = (
    {
        "zh": "PingFang SC, Microsoft YaHei, Noto Sans CJK SC, Arial, sans-serif",
        "ja": "Hiragino Sans, Yu Gothic, Meiryo, Noto Sans CJK JP, Arial, sans-serif",
        "ko": "Apple SD Gothic Neo, Malgun Gothic, Noto Sans CJK KR, Arial, sans-serif",
    },
    "31px",
)


def theme_colors(accent: str, theme: str) -> dict[str, ThemeColor]:
    """Return the colors of a theme, with the accent adjusted until it is readable on the backgrounds."""
    palette = _PALETTES[theme]
    light_accent, dark_accent = (
        ensure_contrast(accent, palette["panel"].light),
        ensure_contrast(accent, palette["panel"].dark),
    )
    return {
        **palette,
        "accent": ThemeColor(light_accent, dark_accent),
        "on_accent": ThemeColor(_contrasting_text_color(light_accent), _contrasting_text_color(dark_accent)),
    }


def font_stacks(language: str, font: str) -> dict[str, str]:
    """Return font stacks that end in a generic font: `text` for posts, `sans` for labels, `mono` for code.

    `leading` is the line height of text; `slant` is the font style of quotations: only Latin fonts have italics.
    """
    cjk_fonts = _CJK_FONTS.get(language.partition("-")[0].lower())
    if cjk_fonts:
        return {
            "text": cjk_fonts,
            "sans": cjk_fonts,
            "mono": _MONO_FONTS,
            "leading": _CJK_LEADING,
            "slant": "normal",
        }
    if text_direction(language) == "rtl":
        return {
            "text": _RTL_FONTS,
            "sans": _RTL_FONTS,
            "mono": _MONO_FONTS,
            "leading": _RTL_LEADING,
            "slant": "normal",
        }
    return {
        "text": _LATIN_FONTS[font],
        "sans": _SANS_FONTS,
        "mono": _MONO_FONTS,
        "leading": _LATIN_LEADING,
        "slant": "italic",
    }


def _contrasting_text_color(background: str) -> str:
    return max(("#fffdfa", "#141210"), key=lambda color: contrast_ratio(color, background))
