"""Print docs/settings.md from the declarations, so that neither has a setting that the other lacks."""

from datetime import time, timedelta

from ketapress.model.settings import SettingSpec, setting_specs
from ketapress.settings.loader import list_sections

_HEADER = """# Settings

All settings of `ketapress.toml`. `${NAME}` in a text is replaced by that environment variable. Unknown keys are errors.
This page is printed by `python -m ketapress.settings.docs_page > docs/settings.md`; a test compares the two.
"""


def render_settings_page() -> str:
    """Return the page as Markdown: a table per section, a row per setting."""
    lines = [_HEADER]
    for name, cls in list_sections():
        lines += [f"## [{name}]", "", "| key | default | meaning |", "|---|---|---|"]
        for spec in setting_specs(cls):
            description = spec.description.replace("|", "&#124;")
            lines.append(f"| `{spec.key}` | {_format_default(spec)} | {description} |")
        lines.append("")
    return "\n".join(lines)


def _format_default(spec: SettingSpec) -> str:
    if spec.is_required:
        return "**required**"
    value = spec.default
    if value in (None, "", ()):
        return ""
    if isinstance(value, timedelta):  # as in the file: in days, or in minutes where it is shorter than a day
        return f"`{value.days}d`" if value.days else f"`{value.seconds // 60}m`"
    if isinstance(value, time):
        return f"`{value:%H:%M}`"
    return f"`{value}`".replace("|", "&#124;")


if __name__ == "__main__":
    print(render_settings_page(), end="")  # noqa: T201 - a command
