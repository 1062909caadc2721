"""docs/settings.md, printed from the declarations: what is not declared is not documented, and the other way round."""

from datetime import time, timedelta

from ketapress.model.settings import Declared, declared
from ketapress.settings.loader import declared_settings

_HEAD = """# Settings

All of `ketapress.toml`. `${NAME}` inside a text is taken from the environment. Unknown keys are errors.
This page is printed by `python -m ketapress.settings.docs_page > docs/settings.md`; a test compares it.
"""


def settings_page() -> str:
    """The page as Markdown: a table for each section, a row for each setting."""
    return "\n".join([_HEAD, *(_section(name, cls) for name, cls in declared_settings())])


def _section(name: str, cls: type) -> str:
    rows = map(_row, declared(cls))
    return "\n".join([f"## [{name}]", "", "| key | default | meaning |", "|---|---|---|", *rows, ""])


def _row(each: Declared) -> str:
    return f"| `{each.key}` | {_default(each)} | {each.sentence.replace('|', '&#124;')} |"


def _default(each: Declared) -> str:
    if each.required:
        return "**required**"
    value = each.default
    if value in (None, "", ()):
        return ""
    if isinstance(value, timedelta):
        return f"`{_span(value)}`"
    if isinstance(value, time):
        return f"`{value:%H:%M}`"
    return f"`{value}`".replace("|", "&#124;")


def _span(value: timedelta) -> str:
    """A span as the file has it: in days, or in minutes where it is shorter."""
    return f"{value.days}d" if value.days else f"{value.seconds // 60}m"


if __name__ == "__main__":
    print(settings_page(), end="")  # noqa: T201 - this module's one door
