"""Reads ketapress.toml. Every fault is found in one go and named with file, line and key."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ketapress.model.errors import ConfigurationError, Problem
from ketapress.model.lazy_regex import pattern
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
    declared,
)
from ketapress.settings.converters import READERS

NAME = "ketapress.toml"
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
_VARIABLE = pattern(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NEWSLETTER_NAME = pattern(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")  # a folder, and a label of List-Id
_TABLE = pattern(r"\s*\[\s*([^\[\]]+?)\s*\]")
_AT_LINE = pattern(r"at line (\d+)")


def read_settings(root: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of the publication in `root`, with `${NAME}` taken from `environ`. Raises ConfigurationError."""
    return parsed_settings(_text(root / NAME), environ)


def used_variables(root: Path, environ: Mapping[str, str]) -> dict[str, str | None]:
    """The variables that the settings in `root` name, with their values. Raises ConfigurationError."""
    return {name: environ.get(name) for name in _VARIABLE.findall(_text(root / NAME))}


def parsed_settings(text: str, environ: Mapping[str, str]) -> Settings:
    """The settings that a file's text means; pure. Raises ConfigurationError with every fault in it."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(_syntax_problem(error)) from None
    reading = _Reading(text, environ)
    settings = reading.settings(tree)
    if reading.problems:
        raise ConfigurationError(*reading.problems)
    return settings


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except FileNotFoundError:
        missing = f"there is no {NAME} in {file.parent}, so this is not a publication folder."
        cure = "Run `ketapress init` there, or name the folder with -C."
        raise ConfigurationError(Problem(code="settings.missing", message=missing, cure=cure)) from None
    except (OSError, UnicodeDecodeError) as error:
        message = f"it cannot be read: {error}."
        cure = "Make it a readable file in UTF-8."
        raise ConfigurationError(
            Problem(code="settings.unreadable", path=NAME, message=message, cure=cure)
        ) from None


def _syntax_problem(error: tomllib.TOMLDecodeError) -> Problem:
    found = _AT_LINE.search(str(error))
    return Problem(
        code="settings.syntax",
        path=NAME,
        line=int(found[1]) if found else None,
        message=f"it is not valid TOML: {error}.",
        cure="Mend that line; text stands in quotes, tables in [brackets].",
    )


class _Reading:
    """One pass over the tables: collects problems instead of stopping at the first."""

    def __init__(self, text: str, environ: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self._lines = _key_lines(text)
        self._environ = environ

    def settings(self, tree: Mapping[str, Any]) -> Settings:
        self._refuse_unknown((), tree, [*SECTIONS, "newsletters"])
        read = {name: self._section((name,), cls, tree.get(name, {})) for name, cls in SECTIONS.items()}
        letters = self._tables(("newsletters",), tree.get("newsletters", {}))
        read["newsletters"] = {name: self._newsletter(name, table) for name, table in letters.items()}
        if read["database"] and read["web"]:
            self._refuse_unsigned(read["database"], read["web"])
        return Settings(**read)

    def _newsletter(self, name: str, table: Any) -> Any:
        where = ("newsletters", name)
        if not _NEWSLETTER_NAME.match(name):
            self._refuse(where, "name", f"newsletter {name!r}: its name is a folder and a part of mail headers.",
                         "Use small letters, digits and hyphens.")  # fmt: skip
        return self._section(where, NewsletterSettings, table, name=name)

    def _tables(self, where: tuple[str, ...], value: Any) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self._refuse(
            where,
            "table",
            f"[{'.'.join(where)}] has to be a table.",
            "Write [newsletters.weekly] and its keys below.",
        )
        return {}

    def _section(self, where: tuple[str, ...], cls: type, table: Any, **given: Any) -> Any:
        """One section as its value; None where something in it cannot be read (then a problem says so)."""
        known = {each.key: each for each in declared(cls)}
        table = self._tables(where, table)
        before = len(self.problems)
        self._refuse_unknown(where, table, list(known))
        for key, each in known.items():
            if key in table:
                given[each.name] = self._value((*where, key), each.reads, table[key])
            elif each.required:
                self._refuse(where, "required", f"[{'.'.join(where)}] lacks `{key}`. {each.sentence}",
                             f"Add `{key} = …` below [{'.'.join(where)}].")  # fmt: skip
        return cls(**given) if len(self.problems) == before else None

    def _value(self, where: tuple[str, ...], reads: str, value: Any) -> Any:
        try:
            return READERS[reads](self._expanded(value, in_url=reads in _URLS))
        except ValueError as error:
            self._refuse(
                where,
                "value",
                f"`{'.'.join(where)}` cannot be used: {error}.",
                "Mend the value on that line.",
            )
            return None

    def _expanded(self, value: Any, *, in_url: bool = False) -> Any:
        """`${NAME}` inside parsed strings, so that a secret may hold any character. Raises ValueError.

        As a part of a URL it is percent-encoded: an @ or / in a password does not end it.
        """
        if isinstance(value, str):
            encoded = in_url and not _VARIABLE.fullmatch(value)
            return _VARIABLE.sub(lambda found: self._variable(found[1], encoded=encoded), value)
        if isinstance(value, list):
            return [self._expanded(each) for each in value]
        if isinstance(value, dict):
            return {key: self._expanded(each) for key, each in value.items()}
        return value

    def _variable(self, name: str, *, encoded: bool) -> str:
        try:
            value = self._environ[name]
        except KeyError:
            raise ValueError(
                f"the environment has no {name}; export it, or put it in the service's environment"
            ) from None
        return quote(value, safe="") if encoded else value

    def _refuse_unknown(self, where: tuple[str, ...], table: Mapping[str, Any], known: list[str]) -> None:
        for key in table:
            if key not in known:
                from difflib import get_close_matches  # noqa: PLC0415 - most files name what is known

                near = get_close_matches(key, known, 1)
                cure = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(known)}."
                self._refuse(
                    (*where, key), "unknown", f"there is no setting `{'.'.join((*where, key))}`.", cure
                )

    def _refuse_unsigned(self, database: DatabaseSettings, web: WebSettings) -> None:
        if database.url.startswith("postgresql") and not web.secret:
            self._refuse(("database", "url"), "secret", "with PostgreSQL `web.secret` has to be set: several machines sign the same links.",
                         'Write [web] secret = "${KETAPRESS_SECRET}" and export 32 or more random characters.')  # fmt: skip

    def _refuse(self, where: tuple[str, ...], code: str, message: str, cure: str) -> None:
        line = next(
            (self._lines[where[:n]] for n in range(len(where), 0, -1) if where[:n] in self._lines), None
        )
        self.problems.append(
            Problem(code=f"settings.{code}", path=NAME, line=line, message=message, cure=cure)
        )


def _key_lines(text: str) -> dict[tuple[str, ...], int]:
    """The line of each table and key. tomllib keeps none; an inline table's keys stand on their parent's line."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if found := _TABLE.match(line):
            table = _dotted(found[1])
            lines.setdefault(table, number)
        elif "=" in line and not line.lstrip().startswith("#"):
            lines.setdefault((*table, *_dotted(line.split("=", 1)[0])), number)
    return lines


def _dotted(name: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in name.split("."))


def declared_settings() -> Iterator[tuple[str, type]]:
    """Every section with the class that declares it, in the order of the file; for pages and tests."""
    for name, cls in SECTIONS.items():
        yield name, cls
        if name == "feeds":
            yield "newsletters.NAME", NewsletterSettings
