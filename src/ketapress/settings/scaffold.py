"""Create the files of a new publication. Never overwrites a file."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from ketapress.model.errors import Problem, RefusedError
from ketapress.settings.loader import SETTINGS_FILE
from ketapress.settings.scaffold_text import GITATTRIBUTES, GITIGNORE, initial_settings, welcome_post
from ketapress.system.atomic import write_new

_FOLDERS = ("posts", "templates", "outbox")


def create_publication(root: Path, now: datetime) -> tuple[Path, ...]:
    """Create a publication, and return the files that were written. `now` is in UTC.

    Raises RefusedError where there is a publication already.
    """
    if (root / SETTINGS_FILE).exists():
        raise RefusedError(
            Problem(
                code="init.exists",
                path=SETTINGS_FILE,
                message=f"{root} is already a publication.",
                cure="Nothing was changed. Edit ketapress.toml, or name another folder.",
            )
        )
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    name, post = welcome_post(now)
    files = {
        root / SETTINGS_FILE: initial_settings(now),
        root / "posts" / name: post,
        root / ".gitignore": GITIGNORE,
        root / ".gitattributes": GITATTRIBUTES,
    }
    written = []
    for file, text in files.items():
        with suppress(FileExistsError):
            write_new(file, text.encode())
            written.append(file)
    return tuple(written)
