"""docs/settings.md, printed from the declarations: what is not declared is not documented, and the other way round."""

from datetime import time, timedelta

from ketapress.model.settings import SettingSpec, setting_specs
from ketapress.settings.loader import list_sections

_HEADER = """# Settings

All of `ketapress.toml`. `${NAME}` inside a text is taken from the environment. Unknown keys are errors.
This page is printed by `python -m ketapress.settings.docs_page > docs/settings.md`; a test compares it.
"""


def render_settings_page() -> str:
    """The page as Markdown: a table for each section, a row for each setting."""
    return "\n".join([_HEADER, *(_render_section(name, cls) for name, cls in list_sections())])


def _render_section(name: str, cls: type) -> str:
    rows = map(_render_row, setting_specs(cls))
    return "\n".join([f"## [{name}]", "", "| key | default | meaning |", "|---|---|---|", *rows, ""])


def _render_row(spec: SettingSpec) -> str:
    return f"| `{spec.key}` | {_format_default(spec)} | {spec.description.replace('|', '&#124;')} |"


def _format_default(spec: SettingSpec) -> str:
    if spec.is_required:
        return "**required**"
    value = spec.default
    if value in (None, "", ()):
        return ""
    if isinstance(value, timedelta):
        return f"`{_format_duration(value)}`"
    if isinstance(value, time):
        return f"`{value:%H:%M}`"
    return f"`{value}`".replace("|", "&#124;")


def _format_duration(value: timedelta) -> str:
    """A span as the file has it: in days, or in minutes where it is shorter."""
    return f"{value.days}d" if value.days else f"{value.seconds // 60}m"


if __name__ == "__main__":
    print(render_settings_page(), end="")  # noqa: T201 - this module's one door
