"""What links in mail are signed with: `web.secret`, or a file that only its owner can read."""

from pathlib import Path

from ketapress.model.errors import ConfigurationError, Problem
from ketapress.model.settings import Settings
from ketapress.system.atomic import write_new

_FILE_NAME = "secret"


def load_or_create_secret(folder: Path, settings: Settings, new_secret: str) -> str:
    """`web.secret`, else the content of `folder`/secret, which is made from `fresh` at first use.

    Whoever loses this file loses the links in mail that is already out, so it is never replaced.
    """
    if settings.web.secret:
        return settings.web.secret
    file = folder / _FILE_NAME
    try:
        write_new(file, f"{new_secret}\n".encode(), durable=True, mode=0o600)
    except FileExistsError:
        return _read_secret(file)
    return new_secret


def _read_secret(file: Path) -> str:
    secret = file.read_text().strip()
    if not secret:
        raise ConfigurationError(
            Problem(
                code="secret.empty",
                path=f"{file.parent.name}/{file.name}",
                message="it is empty, so links in mail cannot be signed.",
                cure="Restore it from a backup, or remove it and links in mail sent before will no longer work.",
            )
        )
    return secret
