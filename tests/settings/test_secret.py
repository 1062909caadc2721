"""The secret that signs links: set in the settings, or created once."""

from pathlib import Path

import pytest

from ketapress.model.errors import ConfigurationError
from ketapress.model.settings import WebSettings
from ketapress.settings.secret import load_or_create_secret
from support.factories import settings


def test_a_secret_is_made_at_first_use_and_kept(tmp_path: Path) -> None:
    assert load_or_create_secret(tmp_path, settings(), "a" * 32) == "a" * 32
    assert load_or_create_secret(tmp_path, settings(), "b" * 32) == "a" * 32


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    load_or_create_secret(tmp_path, settings(), "a" * 32)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_the_setting_comes_first(tmp_path: Path) -> None:
    assert load_or_create_secret(tmp_path, settings(web=WebSettings(secret="c" * 32)), "a" * 32) == "c" * 32
    assert not (tmp_path / "secret").exists()


def test_an_empty_file_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    with pytest.raises(ConfigurationError, match="backup"):
        load_or_create_secret(tmp_path, settings(), "a" * 32)
