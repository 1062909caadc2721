"""ketapress.toml: its values, and the problem of each error."""

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from ketapress.model.errors import ConfigurationError, Problem
from ketapress.model.settings import RelayUrl
from ketapress.settings.loader import parse_settings, read_settings
from support.factories import REPOSITORY

SITE = '[site]\ntitle = "T"\nurl = "https://example.org/"\n'
WEEKLY = """
[newsletters.weekly]
title = "Weekly"
schedule = "weekly mon 08:00"
starts = 2023-06-05
from = "Weekly <digest@example.org>"
"""


def problems(text: str, **environ: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigurationError) as error:
        parse_settings(text, environ)
    return error.value.problems


def test_the_repository_is_itself_a_publication() -> None:
    assert "weekly" in read_settings(REPOSITORY, {}).newsletters


def test_everything_but_site_has_a_default() -> None:
    settings = parse_settings(SITE, {})
    assert settings.site.url == "https://example.org"
    assert settings.posts.publish_at == time(6)
    assert settings.posts.late_posts == timedelta(days=7)
    assert settings.relay.url == RelayUrl("localhost", 2525, "none")
    assert settings.newsletters == {}


def test_a_newsletter_is_read_whole() -> None:
    weekly = parse_settings(
        SITE + WEEKLY + 'send_within = "36h"\ntags = ["news"]\nmax_bytes = 50000\n', {}
    ).newsletters["weekly"]
    assert (weekly.name, weekly.schedule.cron, weekly.starts) == ("weekly", "0 8 * * 1", date(2023, 6, 5))
    assert (weekly.sender.name, weekly.sender.address) == ("Weekly", "digest@example.org")
    assert (weekly.send_within, weekly.tags, weekly.max_bytes) == (timedelta(hours=36), ("news",), 50_000)


def test_secrets_come_from_the_environment_inside_parsed_strings() -> None:
    text = SITE + '[relay]\nurl = "smtp+starttls://user:${SMTP_PASSWORD}@mail.example.org:587"\n'
    relay = parse_settings(text, {"SMTP_PASSWORD": 'p@"]/s%41'}).relay.url
    assert relay == RelayUrl("mail.example.org", 587, "starttls", "user", 'p@"]/s%41')
    assert 'p@"]/s%41' not in repr(relay)
    assert 'p@"]/s%41' not in str(relay)


def test_a_missing_variable_names_itself_and_its_line() -> None:
    (problem,) = problems(SITE + '[relay]\nurl = "smtps://user:${NOT_SET}@mail.example.org"\n')
    assert (problem.path, problem.line) == ("ketapress.toml", 5)
    assert "NOT_SET" in problem.message


def test_an_unknown_key_is_an_error_with_the_nearest_known_name() -> None:
    (problem,) = problems(SITE + 'titel = "x"\n')
    assert problem.line == 4
    assert "`title`" in problem.cure


def test_an_unknown_section_is_an_error() -> None:
    (problem,) = problems(SITE + "[feed]\nentries = 3\n")
    assert problem.line == 4
    assert "`feeds`" in problem.cure


def test_every_fault_is_named_in_one_go() -> None:
    reported = problems(
        '[site]\ntitle = 1\n[posts]\npublish_at = "6 o\'clock"\n[web]\nport = "x"\nsecret = "short"\n'
    )
    assert [problem.line for problem in reported] == [2, 1, 4, 6, 7]
    assert "url" in reported[1].message


def test_broken_toml_names_its_line() -> None:
    (problem,) = problems('[site]\ntitle = "T\n')
    assert (problem.code, problem.line) == ("settings.syntax", 2)


@pytest.mark.parametrize(
    "line",
    [
        'schedule = "weekly moonday 08:00"',
        'schedule = "61 8 * * *"',
        'schedule = "* * * * * *"',
        'timezone = "Europe/Atlantis"',
        'starts = "soon"',
        'from = "no address"',
        'from = "A <a@x>, B <b@y.org>"',
        "max_bytes = 12",
        'approval = "two"',
        'send_within = "soon"',
        "tags = 3",
    ],
)
def test_what_a_newsletter_cannot_mean_is_refused_on_its_line(line: str) -> None:
    key = line.partition(" ")[0]
    text = (
        SITE
        + "\n".join(item for item in WEEKLY.splitlines() if not item.startswith(f"{key} ="))
        + f"\n{line}\n"
    )
    reported = problems(text)
    assert {item.line for item in reported} == {text.count("\n")}


@pytest.mark.parametrize("name", ["Weekly", "week ly", "../up", "-x", "x" * 64])
def test_a_newsletter_name_fits_a_folder_and_a_header(name: str) -> None:
    assert problems(SITE + WEEKLY.replace("newsletters.weekly", f'newsletters."{name}"'))


def test_postgresql_asks_for_a_secret_that_all_machines_share() -> None:
    (problem,) = problems(SITE + '[database]\nurl = "postgresql+psycopg://db/ketapress"\n')
    assert "web.secret" in problem.message


@pytest.mark.parametrize(
    ("text", "cron"),
    [
        ("daily 08:00", "0 8 * * *"),
        ("Weekly Monday 8:05", "5 8 * * 1"),
        ("monthly last fri 08:00", "0 8 * * 5L"),
        ("monthly first mon 07:30", "30 7 * * 1#1"),
        ("monthly last 23:59", "59 23 L * *"),
        ("monthly 1st 08:00", "0 8 1 * *"),
        ("*/10 6-9 * * mon-fri", "*/10 6-9 * * mon-fri"),
    ],
)
def test_schedules_are_cron_or_plain_phrases(text: str, cron: str) -> None:
    settings = parse_settings(SITE + WEEKLY.replace("weekly mon 08:00", text), {})
    assert settings.newsletters["weekly"].schedule.cron == cron


def test_a_folder_without_settings_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ketapress init"):
        read_settings(tmp_path, {})


def test_settings_in_another_encoding_are_named(tmp_path: Path) -> None:
    (tmp_path / "ketapress.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        read_settings(tmp_path, {})
