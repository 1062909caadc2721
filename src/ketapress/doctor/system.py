"""Check this machine and the publication folder, without writing anything."""

import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ketapress.doctor.finding import Finding, error, ok, skipped, warning
from ketapress.model.settings import Settings
from ketapress.settings.converters import sqlite_path
from ketapress.settings.loader import SETTINGS_FILE

_MIN_FREE_BYTES, _LOW_FREE_BYTES = 64 * 2**20, 512 * 2**20
_MAX_SKEW = timedelta(minutes=2)
_MAX_BACKUP_AGE = timedelta(days=7)
_MIN_DISTINCT_CHARACTERS = 10  # a random secret of 32 characters has twelve or more, almost certainly
LAST_BACKUP = ".ketapress/last-backup"
"""Written by `ketapress db backup`: the time and the file."""


def check_machine(root: Path, settings: Settings, now: datetime) -> Iterator[Finding]:
    yield check_permissions(root)
    yield check_disk_space(root)
    yield _check_clock(root, now)
    yield from _check_secret(root, settings)
    yield _check_web_url(settings)
    yield _check_alerts(settings)
    file = sqlite_path(settings.database.url)
    if file is None:
        yield skipped(
            "backup",
            "backups of PostgreSQL cannot be checked from here.",
            "Run `pg_dump` on a timer.",
        )
    else:
        yield _check_database_file(root / file)
        yield check_sqlite_version(sqlite3.sqlite_version_info)
        yield _check_backup(root, root / file, now)


def check_permissions(root: Path) -> Finding:
    """Check that the folder, and the files and folders in it, can be read and written."""
    paths = [root, *(root / name for name in ("posts", "outbox", "public", ".ketapress"))]
    unusable = [
        str(path) for path in paths if path.exists() and not os.access(path, os.R_OK | os.W_OK | os.X_OK)
    ]
    if not (root / SETTINGS_FILE).is_file() or not os.access(root / SETTINGS_FILE, os.R_OK):
        unusable.append(str(root / SETTINGS_FILE))
    if unusable:
        user = f"user {os.geteuid()}"
        return error(
            "folder",
            f"{user} cannot read or write {', '.join(unusable)}.",
            f"Run Ketapress as the owner of the folder, or give {user} the permission.",
        )
    if os.geteuid() == 0 and root.stat().st_uid != 0:
        cure = "Run Ketapress as the owner of the folder; otherwise that user cannot write the files that are created now."
        return warning("folder", "Ketapress runs as root, but the folder belongs to another user.", cure)
    return ok("folder", f"{root.resolve()} can be read and written.")


def check_disk_space(root: Path) -> Finding:
    """Check the free space on the publication's disk, for the database, the ids and the pages."""
    free = shutil.disk_usage(root).free
    message = f"{free / 2**20:,.0f} MB are free on its disk."
    cure = "Free some space: sending stops while the disk is full."
    if free < _MIN_FREE_BYTES:
        return error("disk", message, cure)
    return warning("disk", message, cure) if free < _LOW_FREE_BYTES else ok("disk", message)


def _check_clock(root: Path, now: datetime) -> Finding:
    """Check that no file, nor this program, was written in the future."""
    files = [
        root / SETTINGS_FILE,
        root / "ketapress.db",
        root / ".ketapress",
        Path(__file__),
        Path(sys.executable),
    ]
    times = [(datetime.fromtimestamp(file.stat().st_mtime, UTC), file) for file in files if file.exists()]
    newest, newest_file = max(times)
    if newest > now + _MAX_SKEW:
        return error(
            "clock",
            f"the clock shows {now:%Y-%m-%d %H:%M} UTC, but {newest_file.name} was written at {newest:%Y-%m-%d %H:%M} UTC.",
            "Set the clock, and synchronize it by NTP (`timedatectl set-ntp true`): editions are sent by it.",
        )
    return ok("clock", f"the clock shows {now:%Y-%m-%d %H:%M} UTC, and no file here is newer.")


def _check_secret(root: Path, settings: Settings) -> Iterator[Finding]:
    """Check that the secret that signs links in mail is hard to guess, and readable only by its owner."""
    secret, file = settings.web.secret, root / ".ketapress" / "secret"
    if not secret and not file.exists():
        yield ok("secret", "it is created on first use.")
        return
    if not secret and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield error(
            "secret",
            f"{file} can be read by other users, who could unsubscribe every subscriber.",
            f"Run `chmod 600 {file}`.",
        )
        return
    with suppress(OSError, UnicodeDecodeError):
        if secret and secret in (root / SETTINGS_FILE).read_text():
            cure = 'Set secret = "${KETAPRESS_SECRET}", and put the value in the environment of the service.'
            yield warning(
                "secret", f"`web.secret` is in {SETTINGS_FILE}, which is committed and copied.", cure
            )
    if secret and len(set(secret)) < _MIN_DISTINCT_CHARACTERS:
        yield error(
            "secret",
            "`web.secret` is easy to guess.",
            "Set it to the output of `openssl rand -hex 32`, and keep the old one in `previous_secrets`.",
        )
    else:
        yield ok("secret", "links in mail are signed with a secret that is hard to guess.")


def _check_web_url(settings: Settings) -> Finding:
    url = settings.web.url
    cure = 'Set [web] url = "https://…" to the public address of the web server.'
    if url.startswith("https://"):
        return ok("web", f"links in mail start with {url}.")
    if settings.relay.url.is_local:
        return warning(
            "web",
            "`web.url` is not an https address; links in mail would not work outside this machine.",
            cure,
        )
    return error("web", "`web.url` is not an https address, so `send` refuses to use this relay.", cure)


def _check_alerts(settings: Settings) -> Finding:
    command, email = settings.alerts.command, settings.alerts.email
    if command and not shutil.which(command[0]):
        return error("alerts", f"{command[0]} cannot be run.", "Correct `command` below [alerts].")
    if not command and not email:
        cure = "Set `command` or `email` below [alerts]."
        return warning("alerts", "no alert is sent when something needs a person.", cure)
    return ok("alerts", f"alerts go to {' and '.join(filter(None, (' '.join(command), email)))}.")


def _check_database_file(file: Path) -> Finding:
    if not file.exists():
        return ok("database", f"{file.name} is created on first use.")
    if not os.access(file, os.R_OK | os.W_OK):
        return error(
            "database", f"{file} cannot be written.", "Give the user that runs Ketapress write permission."
        )
    if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return warning(
            "database", f"{file} contains addresses, and other users can read it.", f"Run `chmod 600 {file}`."
        )
    return ok(
        "database", f"{file.name}, {file.stat().st_size / 2**20:,.1f} MB, can be read only by its owner."
    )


def check_sqlite_version(version: tuple[int, ...]) -> Finding:
    """Check for a bug of SQLite: two simultaneous writers could corrupt its log (sqlite.org/wal.html#walresetbug)."""
    version_text = ".".join(map(str, version))
    is_fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    if is_fixed:
        return ok("sqlite", f"SQLite {version_text}.")
    return warning(
        "sqlite",
        f"SQLite {version_text} has a rare bug that can damage a database when two processes write at the same time.",
        "Use a Python with SQLite 3.51.3, 3.50.7 or 3.44.6 or later. Until then, keep backups and run one `ketapress run`.",
    )


def _check_backup(root: Path, database: Path, now: datetime) -> Finding:
    cure = "Run `ketapress db backup FILE` on a timer, once a day; docs/operations.md shows how."
    if not database.exists():
        return ok("backup", "there is no database to back up yet.")
    try:
        timestamp, _, file = (root / LAST_BACKUP).read_text().strip().partition(" ")
        age = now - datetime.fromisoformat(timestamp)
    except (OSError, ValueError, TypeError):
        return warning("backup", "no backup has been made with `ketapress db backup`.", cure)
    message = f"the last backup is from {timestamp[:16]}, in {file}."
    return warning("backup", message, cure) if age > _MAX_BACKUP_AGE else ok("backup", message)
