"""Edge: looks at this machine and the publication's folder. It opens nothing for writing and makes nothing."""

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
_MIN_DISTINCT_CHARACTERS = 10  # different ones: a real secret of 32 has twelve or more, all but surely
LAST_BACKUP = ".ketapress/last-backup"
"""Written by `ketapress db backup`: the time, and the file."""


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
            "the database is PostgreSQL, whose backups are not ours to see.",
            "Run `pg_dump` by a timer.",
        )
    else:
        yield _check_database_file(root / file)
        yield check_sqlite_version(sqlite3.sqlite_version_info)
        yield _check_backup(root, root / file, now)


def check_permissions(root: Path) -> Finding:
    """What is there has to be ours to write; what is not there yet, its folder."""
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
            f"{', '.join(unusable)} cannot be used by {user}.",
            f"Run it as the folder's owner, or give {user} the right to them.",
        )
    if os.geteuid() == 0 and root.stat().st_uid != 0:
        cure = "Run it as the folder's owner, or what is made now cannot be written by that user later."
        return warning("folder", "this is run as root, and the folder belongs to somebody else.", cure)
    return ok("folder", f"{root.resolve()} can be read and written.")


def check_disk_space(root: Path) -> Finding:
    """How much room there is on the publication's disk: the database, the ids and the pages all need some."""
    free = shutil.disk_usage(root).free
    message = f"{free / 2**20:,.0f} MB are free on its disk."
    cure = "Make room: without any, sending stops until there is some."
    if free < _MIN_FREE_BYTES:
        return error("disk", message, cure)
    return warning("disk", message, cure) if free < _LOW_FREE_BYTES else ok("disk", message)


def _check_clock(root: Path, now: datetime) -> Finding:
    """Files cannot have been written in the future, nor this program after today."""
    files = [
        root / SETTINGS_FILE,
        root / "ketapress.db",
        root / ".ketapress",
        Path(__file__),
        Path(sys.executable),
    ]
    times = [(_modification_time(file), file) for file in files if file.exists()]
    newest, newest_file = max(times)
    if newest > now + _MAX_SKEW:
        return error(
            "clock",
            f"it is {now:%Y-%m-%d %H:%M} UTC by this machine, but {newest_file.name} was written at {newest:%Y-%m-%d %H:%M} UTC.",
            "Set the clock, and keep it right by NTP (`timedatectl set-ntp true`): editions go out by it.",
        )
    return ok("clock", f"it is {now:%Y-%m-%d %H:%M} UTC, and no file here is from later than that.")


def _modification_time(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _check_secret(root: Path, settings: Settings) -> Iterator[Finding]:
    """What links in mail are signed with: hard to guess, and nobody else's to read."""
    secret_file = root / ".ketapress" / "secret"
    if settings.web.secret:
        yield from _check_secret_in_settings(root, settings.web.secret)
    elif not secret_file.exists():
        yield ok("secret", "none yet; one is made at first use.")
        return
    elif secret_file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield error(
            "secret",
            f"{secret_file} can be read by others, who could unsubscribe everybody.",
            f"Run `chmod 600 {secret_file}`.",
        )
        return
    if settings.web.secret and len(set(settings.web.secret)) < _MIN_DISTINCT_CHARACTERS:
        yield error(
            "secret",
            "`web.secret` is easy to guess.",
            "Set it to what `openssl rand -hex 32` prints; keep the old one in `previous_secrets`.",
        )
    else:
        yield ok("secret", "links in mail are signed with a secret of enough length.")


def _check_secret_in_settings(root: Path, secret: str) -> Iterator[Finding]:
    with suppress(OSError, UnicodeDecodeError):
        if secret in (root / SETTINGS_FILE).read_text():
            cure = 'Write secret = "${KETAPRESS_SECRET}" and put the value into the service\'s environment.'
            yield warning(
                "secret", f"`web.secret` stands in {SETTINGS_FILE}, which is committed and copied.", cure
            )


def _check_web_url(settings: Settings) -> Finding:
    url = settings.web.url
    cure = 'Set [web] url = "https://…" to where the web door is reached from outside.'
    if url.startswith("https://"):
        return ok("web", f"links in mail lead to {url}.")
    if settings.relay.url.is_local:
        return warning(
            "web",
            "`web.url` is no https address; the links in the mail would be dead outside this machine.",
            cure,
        )
    return error("web", "`web.url` is no https address, so `send` to this relay is refused.", cure)


def _check_alerts(settings: Settings) -> Finding:
    command, email = settings.alerts.command, settings.alerts.email
    if command and not shutil.which(command[0]):
        return error(
            "alerts", f"{command[0]} is no program that can be run.", "Mend `command` below [alerts]."
        )
    if not command and not email:
        cure = "Set `command` or `email` below [alerts]."
        return warning("alerts", "nobody is told when something needs a person.", cure)
    return ok(
        "alerts", f"{' and '.join(filter(None, (' '.join(command), email)))} is told of what needs a person."
    )


def _check_database_file(file: Path) -> Finding:
    if not file.exists():
        return ok("database", f"{file.name} is not there yet; it is made at first use.")
    if not os.access(file, os.R_OK | os.W_OK):
        return error(
            "database", f"{file} cannot be written.", "Give the user who runs Ketapress the right to it."
        )
    if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return warning(
            "database", f"{file} holds addresses, and others can read it.", f"Run `chmod 600 {file}`."
        )
    return ok("database", f"{file.name}, {file.stat().st_size / 2**20:,.1f} MB, is its owner's alone.")


def check_sqlite_version(version: tuple[int, ...]) -> Finding:
    """SQLite from 3.7.0 on could lose a part of its log when two connections wrote at once (sqlite.org/wal.html#walresetbug)."""
    version_text = ".".join(map(str, version))
    is_fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    if is_fixed:
        return ok("sqlite", f"SQLite {version_text}.")
    return warning(
        "sqlite",
        f"SQLite {version_text} has a rare fault that can damage a database which two processes write at the same moment.",
        "Use a Python with SQLite 3.51.3, 3.50.7 or 3.44.6, or later; until then keep backups, and run one `ketapress run`.",
    )


def _check_backup(root: Path, database: Path, now: datetime) -> Finding:
    cure = "Run `ketapress db backup FILE` by a timer, once a day; docs/operations.md has one."
    if not database.exists():
        return ok("backup", "there is nothing to copy yet.")
    try:
        timestamp, _, file = (root / LAST_BACKUP).read_text().strip().partition(" ")
        age = now - datetime.fromisoformat(timestamp)
    except (OSError, ValueError, TypeError):
        return warning("backup", "no copy of the database was ever made with `ketapress db backup`.", cure)
    message = f"the last copy of the database is from {timestamp[:16]}, in {file}."
    return warning("backup", message, cure) if age > _MAX_BACKUP_AGE else ok("backup", message)
