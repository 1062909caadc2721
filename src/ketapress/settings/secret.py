"""The secret that signs links in mail: `web.secret`, or a file that only its owner can read."""

from pathlib import Path

from ketapress.model.errors import ConfigurationError, Problem
from ketapress.model.settings import Settings
from ketapress.system.atomic import write_new

_FILE_NAME = "secret"


def load_or_create_secret(folder: Path, settings: Settings, new_secret: str) -> str:
    """Return `web.secret`, else the content of `folder`/secret, which is created with `new_secret` on first use.

    The file is never replaced: without it, links in mail that was already sent no longer work.
    """
    if settings.web.secret:
        return settings.web.secret
    file = folder / _FILE_NAME
    try:
        write_new(file, f"{new_secret}\n".encode(), durable=True, mode=0o600)
    except FileExistsError:
        pass
    else:
        return new_secret
    secret = file.read_text().strip()
    if not secret:
        raise ConfigurationError(
            Problem(
                code="secret.empty",
                path=f"{file.parent.name}/{file.name}",
                message="the secret is empty, so links in mail cannot be signed.",
                cure="Restore the file from a backup. If you remove it instead, links in mail sent before stop working.",
            )
        )
    return secret
