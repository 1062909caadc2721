"""Makes the folder that a publication begins as. Never overwrites a file."""

from datetime import datetime
from pathlib import Path

from ketapress.model.errors import Problem, RefusedError
from ketapress.settings.loader import NAME
from ketapress.settings.scaffold_text import GITIGNORE, first_post, first_settings
from ketapress.system.atomic import write_new

_FOLDERS = ("posts", "templates", "outbox")


def begin_publication(root: Path, now: datetime) -> tuple[Path, ...]:
    """The files of a new publication, written; RefusedError where there is one already. `now` is in UTC."""
    if (root / NAME).exists():
        raise RefusedError(
            Problem(
                code="init.exists",
                path=NAME,
                message=f"{root} is a publication already.",
                cure="Nothing was changed; edit ketapress.toml, or name another folder.",
            )
        )
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    name, post = first_post(now)
    files = {root / NAME: first_settings(now), root / "posts" / name: post, root / ".gitignore": GITIGNORE}
    return tuple(file for file, text in files.items() if _written(file, text))


def _written(file: Path, text: str) -> bool:
    try:
        write_new(file, text.encode())
    except FileExistsError:
        return False
    return True
