"""Migrate a database to the newest schema. The only module that loads Alembic: import it only to migrate."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def migrate(connection: Connection) -> None:
    """Run the missing migrations on a connection. The caller commits, so that all of them apply or none."""
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def migrations_folder() -> Path:
    """Return the folder of the migrations in the installed package."""
    return Path(__file__).parents[1] / "migrations"
