"""Read ketapress.toml. All problems are reported at once, each with file, line and key."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ketapress.model.errors import ConfigurationError, Problem
from ketapress.model.settings import (
    AlertSettings,
    DatabaseSettings,
    FeedSettings,
    NewsletterSettings,
    PostSettings,
    RelaySettings,
    Settings,
    SiteSettings,
    WebSettings,
    setting_specs,
)
from ketapress.model.suggestions import closest_name
from ketapress.settings.converters import CONVERTERS

SETTINGS_FILE = "ketapress.toml"
SECTIONS: Mapping[str, type] = {
    "site": SiteSettings,
    "posts": PostSettings,
    "feeds": FeedSettings,
    "relay": RelaySettings,
    "database": DatabaseSettings,
    "web": WebSettings,
    "alerts": AlertSettings,
}
_URLS = frozenset({"relay url", "database url"})
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NEWSLETTER_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")  # a folder, and a label of List-Id
_TABLE = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
_ERROR_LINE = re.compile(r"at line (\d+)")


def read_settings(root: Path, environ: Mapping[str, str]) -> Settings:
    """Read the settings of the publication in `root`, with `${NAME}` from `environ`. Raises ConfigurationError."""
    return parse_settings(_read_text(root / SETTINGS_FILE), environ)


def find_variables(root: Path, environ: Mapping[str, str]) -> dict[str, str | None]:
    """Return the environment variables that the settings in `root` use, with their values. Raises ConfigurationError."""
    return {name: environ.get(name) for name in _VARIABLE.findall(_read_text(root / SETTINGS_FILE))}


def parse_settings(text: str, environ: Mapping[str, str]) -> Settings:
    """Parse the text of a settings file. Raises ConfigurationError with all its problems."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = _ERROR_LINE.search(str(error))
        raise ConfigurationError(
            Problem(
                code="settings.syntax",
                path=SETTINGS_FILE,
                line=int(match[1]) if match else None,
                message=f"the file is not valid TOML: {error}.",
                cure="Correct that line: texts need quotes, tables need [brackets].",
            )
        ) from None
    parser = _SettingsParser(text, environ)
    settings = parser.parse(document)
    if parser.problems:
        raise ConfigurationError(*parser.problems)
    return settings


def _read_text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except FileNotFoundError:
        message = f"there is no {SETTINGS_FILE} in {file.parent}, so this is not a publication folder."
        cure = "Run `ketapress init` there, or name the publication folder with -C."
        raise ConfigurationError(Problem(code="settings.missing", message=message, cure=cure)) from None
    except (OSError, UnicodeDecodeError) as error:
        message = f"the file cannot be read: {error}."
        cure = "Make it readable, and save it as UTF-8."
        raise ConfigurationError(
            Problem(code="settings.unreadable", path=SETTINGS_FILE, message=message, cure=cure)
        ) from None


class _SettingsParser:
    """Parse the tables of one file, and collect all problems instead of stopping at the first."""

    def __init__(self, text: str, environ: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self._lines = _find_key_lines(text)
        self._environ = environ

    def parse(self, document: Mapping[str, Any]) -> Settings:
        self._report_unknown_keys((), document, [*SECTIONS, "newsletters"])
        sections = {
            name: self._parse_section((name,), cls, document.get(name, {})) for name, cls in SECTIONS.items()
        }
        newsletters = self._require_table(("newsletters",), document.get("newsletters", {}))
        sections["newsletters"] = {
            name: self._parse_newsletter(name, table) for name, table in newsletters.items()
        }
        database, web = sections["database"], sections["web"]
        if database and web and database.url.startswith("postgresql") and not web.secret:
            self._add_problem(
                ("database", "url"),
                "secret",
                "`web.secret` is required with PostgreSQL, because several machines sign the same links.",
                'Set [web] secret = "${KETAPRESS_SECRET}", and export KETAPRESS_SECRET with 32 or more random characters.',
            )
        return Settings(**sections)

    def _parse_newsletter(self, name: str, table: Any) -> Any:
        key_path = ("newsletters", name)
        if not _NEWSLETTER_NAME.match(name):
            self._add_problem(key_path, "name", f"the name of newsletter {name!r} is not valid: a folder and mail headers use it.",
                         "Use lower-case letters, digits and hyphens.")  # fmt: skip
        return self._parse_section(key_path, NewsletterSettings, table, name=name)

    def _require_table(self, key_path: tuple[str, ...], value: Any) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self._add_problem(
            key_path,
            "table",
            f"[{'.'.join(key_path)}] has to be a table.",
            "Write [newsletters.weekly], and its keys below it.",
        )
        return {}

    def _parse_section(self, key_path: tuple[str, ...], cls: type, table: Any, **values: Any) -> Any:
        """Return the section as a value of the model; None where it has a problem, which is reported."""
        specs = {spec.key: spec for spec in setting_specs(cls)}
        table = self._require_table(key_path, table)
        problem_count = len(self.problems)
        self._report_unknown_keys(key_path, table, list(specs))
        for key, spec in specs.items():
            if key in table:
                values[spec.name] = self._parse_value((*key_path, key), spec.converter, table[key])
            elif spec.is_required:
                self._add_problem(key_path, "required", f"`{'.'.join((*key_path, key))}` is required. {spec.description}",
                             f"Add `{key} = …` below [{'.'.join(key_path)}].")  # fmt: skip
        return cls(**values) if len(self.problems) == problem_count else None

    def _parse_value(self, key_path: tuple[str, ...], converter: str, value: Any) -> Any:
        try:
            return CONVERTERS[converter](self._expand_variables(value, in_url=converter in _URLS))
        except ValueError as error:
            self._add_problem(
                key_path,
                "value",
                f"`{'.'.join(key_path)}` is not valid: {error}.",
                "Correct the value on that line.",
            )
            return None

    def _expand_variables(self, value: Any, *, in_url: bool = False) -> Any:
        """Expand `${NAME}` inside parsed strings, so that a secret may contain any character. Raises ValueError.

        Inside a URL the value is percent-encoded, so that an @ or / in a password does not end it.
        """
        if isinstance(value, str):
            percent_encode = in_url and not _VARIABLE.fullmatch(value)
            return _VARIABLE.sub(
                lambda match: self._lookup_variable(match[1], percent_encode=percent_encode), value
            )
        if isinstance(value, list):
            return [self._expand_variables(item) for item in value]
        if isinstance(value, dict):
            return {key: self._expand_variables(item) for key, item in value.items()}
        return value

    def _lookup_variable(self, name: str, *, percent_encode: bool) -> str:
        try:
            value = self._environ[name]
        except KeyError:
            raise ValueError(
                f"the environment variable {name} is not set; export it, or set it in the environment of the service"
            ) from None
        return quote(value, safe="") if percent_encode else value

    def _report_unknown_keys(
        self, key_path: tuple[str, ...], table: Mapping[str, Any], known_keys: list[str]
    ) -> None:
        for key in table:
            if key not in known_keys:
                suggestion = closest_name(key, known_keys)
                cure = (
                    f"Did you mean `{suggestion}`?" if suggestion else f"Known keys: {', '.join(known_keys)}."
                )
                self._add_problem(
                    (*key_path, key), "unknown", f"`{'.'.join((*key_path, key))}` is not a setting.", cure
                )

    def _add_problem(self, key_path: tuple[str, ...], code: str, message: str, cure: str) -> None:
        line = next(
            (
                self._lines[key_path[:length]]
                for length in range(len(key_path), 0, -1)
                if key_path[:length] in self._lines
            ),
            None,
        )
        self.problems.append(
            Problem(code=f"settings.{code}", path=SETTINGS_FILE, line=line, message=message, cure=cure)
        )


def _find_key_lines(text: str) -> dict[tuple[str, ...], int]:
    """Return the line of each table and key, which tomllib does not keep. Keys of an inline table have their parent's line."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if match := _TABLE.match(line):
            table = _split_key(match[1])
            lines.setdefault(table, number)
        elif "=" in line and not line.lstrip().startswith("#"):
            lines.setdefault((*table, *_split_key(line.split("=", 1)[0])), number)
    return lines


def _split_key(name: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in name.split("."))


def list_sections() -> Iterator[tuple[str, type]]:
    """Yield every section with the class that declares it, in the order of the documentation."""
    for name, cls in SECTIONS.items():
        yield name, cls
        if name == "feeds":
            yield "newsletters.NAME", NewsletterSettings
