"""Print the settings page. Scripts may still use this name, from before `docs_page`."""

from ketapress.settings.docs_page import render_settings_page

if __name__ == "__main__":
    print(render_settings_page(), end="")  # noqa: T201 - a command
