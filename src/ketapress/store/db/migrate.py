"""Edge: brings a database's schema to the newest revision, in the transaction it is handed, all or nothing.

The one module that loads Alembic: it is imported only when there is something to change.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def migrate(connection: Connection) -> None:
    """Runs what is missing on this connection. The caller commits."""
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def migrations_folder() -> Path:
    """The folder of the migrations, inside the installed package."""
    return Path(__file__).parents[1] / "migrations"
