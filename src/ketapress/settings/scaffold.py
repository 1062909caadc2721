"""Makes the folder that a publication begins as. Never overwrites a file."""

from datetime import datetime
from pathlib import Path

from ketapress.model.errors import Problem, RefusedError
from ketapress.model.sample_post import sample_post
from ketapress.settings.loader import SETTINGS_FILE
from ketapress.settings.scaffold_text import GITIGNORE, initial_settings
from ketapress.system.atomic import write_new

_FOLDERS = ("posts", "templates", "outbox")


def create_publication(root: Path, now: datetime) -> tuple[Path, ...]:
    """The files of a new publication, written; RefusedError where there is one already. `now` is in UTC."""
    if (root / SETTINGS_FILE).exists():
        raise RefusedError(
            Problem(
                code="init.exists",
                path=SETTINGS_FILE,
                message=f"{root} is a publication already.",
                cure="Nothing was changed; edit ketapress.toml, or name another folder.",
            )
        )
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    name, post = sample_post(now.date())
    files = {
        root / SETTINGS_FILE: initial_settings(now),
        root / "posts" / name: post,
        root / ".gitignore": GITIGNORE,
    }
    return tuple(file for file, text in files.items() if _write_if_absent(file, text))


def _write_if_absent(file: Path, text: str) -> bool:
    try:
        write_new(file, text.encode())
    except FileExistsError:
        return False
    return True
