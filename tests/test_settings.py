"""Where each setting comes from, and what is said about one that is malformed."""

from __future__ import annotations

import json
import pickle
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from runframe.errors import AuthenticationError, SettingsError, UsageError
from runframe.settings import Settings

KEY = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40

Resolve = Callable[..., Settings]


@pytest.fixture
def resolve(tmp_path: Path) -> Resolve:
    """Finds settings in a home and a working directory of its own; `environ` is added to an environment with a key."""

    def resolve_(overrides: Any = None, environ: Mapping[str, str | None] | None = None, **options: Any) -> Settings:
        variables = {"HOME": str(tmp_path), "WANDB_API_KEY": KEY} | (dict(environ) if environ else {})
        given = {name: value for name, value in variables.items() if value is not None}
        return Settings.resolve(overrides, environ=given, directory=tmp_path / "work", **options)

    return resolve_


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_defaults(resolve: Resolve) -> None:
    settings = resolve()
    assert settings.base_url == "https://api.wandb.ai"
    assert settings.app_url == "https://wandb.ai/"
    assert (settings.entity, settings.project, settings.organization) == (None, None, None)
    assert settings.timeout == 19
    assert (settings.headers, settings.proxies, settings.local_directory) == (None, None, None)


def test_sources_from_the_lowest_to_the_highest(resolve: Resolve, tmp_path: Path) -> None:
    assert resolve().entity is None
    write(tmp_path / ".config" / "wandb" / "settings", "[default]\nentity = global\nproject = global\n")
    assert resolve().entity == "global"
    write(tmp_path / "work" / "wandb" / "settings", "[default]\nentity = workspace\n")
    assert resolve().entity == "workspace"
    assert resolve(environ={"WANDB_ENTITY": "environment"}).entity == "environment"
    settings = resolve({"entity": "override"}, {"WANDB_ENTITY": "environment"})
    assert (settings.entity, settings.project) == ("override", "global")


@pytest.mark.parametrize(
    ("name", "variable"),
    [("entity", "WANDB_ENTITY"), ("project", "WANDB_PROJECT"), ("organization", "WANDB_ORGANIZATION")],
)
def test_each_has_its_variable_and_an_empty_one_unsets_it(
    resolve: Resolve, tmp_path: Path, name: str, variable: str
) -> None:
    write(tmp_path / "work" / "wandb" / "settings", f"[default]\n{name} = file\n")
    assert getattr(resolve(environ={variable: "x"}), name) == "x"
    assert getattr(resolve(environ={variable: ""}), name) is None


def test_folders_of_settings_files_can_be_moved(resolve: Resolve, tmp_path: Path) -> None:
    write(tmp_path / "config" / "settings", "[default]\nentity = moved\n")
    write(tmp_path / "elsewhere" / "wandb" / "settings", "[default]\nproject = moved\n")
    environ = {"WANDB_CONFIG_DIR": str(tmp_path / "config"), "WANDB_DIR": str(tmp_path / "elsewhere")}
    settings = resolve(environ=environ)
    assert (settings.entity, settings.project) == ("moved", "moved")


def test_a_settings_file_may_hold_a_percent_sign_and_other_sections(resolve: Resolve, tmp_path: Path) -> None:
    write(tmp_path / "work" / "wandb" / "settings", "[other]\nentity = no\n[default]\nproject = 100%\n")
    settings = resolve()
    assert (settings.entity, settings.project) == (None, "100%")


def test_a_settings_file_that_cannot_be_read_is_named(resolve: Resolve, tmp_path: Path) -> None:
    path = tmp_path / "work" / "wandb" / "settings"
    write(path, "entity = without a section\n")
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        resolve()
    assert str(path) in str(caught.value)


def test_unknown_overrides_are_kept(resolve: Resolve) -> None:
    settings = resolve({"something": 1, "run": "r1"})
    assert (settings.options["something"], settings.options["run"]) == (1, "r1")
    assert {"base_url", "entity", "project", "organization"} <= set(settings.options)


def test_the_users_dict_is_left_as_it_is(resolve: Resolve) -> None:
    given = {"entity": "e"}
    resolve(given)
    assert given == {"entity": "e"}


def test_username_is_a_deprecated_name_of_entity(resolve: Resolve) -> None:
    with pytest.warns(DeprecationWarning, match="username") as caught:
        assert resolve({"username": "me"}).entity == "me"
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert resolve({"username": "me", "entity": "team"}).entity == "team"


@pytest.mark.parametrize("name", ["entity", "project", "organization"])
def test_a_setting_of_another_type_is_refused(resolve: Resolve, name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is 5 of type int; text was expected"):
        resolve({name: 5})


# Addresses.


@pytest.mark.parametrize(
    ("base_url", "app_url"),
    [
        ("https://api.wandb.ai", "https://wandb.ai/"),
        ("https://api.wandb.test/", "https://wandb.test/"),
        ("https://api.company.com", "https://app.company.com/"),
        ("https://wandb.company.com/", "https://wandb.company.com/"),
        ("http://localhost:8080", "http://localhost:8080/"),
        ("http://10.0.0.1:8080/prefix//", "http://10.0.0.1:8080/prefix/"),
    ],
)
def test_the_web_pages_address_follows_from_the_servers(resolve: Resolve, base_url: str, app_url: str) -> None:
    settings = resolve({"base_url": base_url})
    assert settings.base_url == base_url.rstrip("/")
    assert settings.app_url == app_url


def test_the_web_pages_address_can_be_set(resolve: Resolve) -> None:
    assert resolve(environ={"WANDB_APP_URL": "https://pages.example"}).app_url == "https://pages.example/"


def test_text_in_place_of_overrides_is_the_address(resolve: Resolve) -> None:
    assert resolve("http://localhost:8080").base_url == "http://localhost:8080"


def test_the_address_may_come_from_the_environment_or_a_file(resolve: Resolve, tmp_path: Path) -> None:
    write(tmp_path / "work" / "wandb" / "settings", "[default]\nbase_url = http://file:1\n")
    assert resolve().base_url == "http://file:1"
    assert resolve(environ={"WANDB_BASE_URL": "http://environment:1"}).base_url == "http://environment:1"
    assert resolve(environ={"WANDB_BASE_URL": ""}).base_url == "https://api.wandb.ai"


@pytest.mark.parametrize(
    "base_url",
    ["foo", "localhost:8080", "ftp://x", "http://", "http://x:99999", "http://x y", "local:", "local: ", "http://[::1"],
)
def test_an_address_that_is_none_is_named(resolve: Resolve, base_url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        resolve({"base_url": base_url})
    assert repr(base_url) in str(caught.value)
    assert "expected" in str(caught.value)


def test_an_address_without_a_scheme_has_a_suggestion(resolve: Resolve) -> None:
    with pytest.raises(SettingsError, match="did you mean 'http://localhost:8080'"):
        resolve({"base_url": "localhost:8080"})


@pytest.mark.parametrize("base_url", ["https://me:hidden@host", "https://host/?token=hidden", "https://host/#hidden"])
def test_an_address_holds_no_secrets_and_none_is_shown(resolve: Resolve, base_url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        resolve({"base_url": base_url})
    assert "hidden" not in str(caught.value)


def test_a_local_folder_is_an_address(resolve: Resolve, tmp_path: Path) -> None:
    for given in ("local:store", {"base_url": "local:store"}):
        assert resolve(given).local_directory == tmp_path / "work" / "store"
    assert resolve(environ={"WANDB_BASE_URL": f"local:{tmp_path}"}).local_directory == tmp_path


def test_a_local_folder_needs_no_key_and_takes_none_from_elsewhere(resolve: Resolve) -> None:
    assert resolve("local:store", {"WANDB_API_KEY": None}).api_key is None
    assert resolve("local:store").api_key is None
    assert resolve("local:store", api_key=OTHER).api_key == OTHER


# The key.


def test_the_argument_comes_before_the_environment(resolve: Resolve) -> None:
    assert resolve().api_key == KEY
    assert resolve(api_key=OTHER).api_key == OTHER
    assert resolve(api_key="").api_key == KEY


def netrc(tmp_path: Path, *entries: tuple[str, str]) -> None:
    lines = [f"machine {machine}\n  login user\n  password {password}\n" for machine, password in entries]
    write(tmp_path / ".netrc", "".join(lines))
    (tmp_path / ".netrc").chmod(0o600)


def test_the_environment_comes_before_netrc(resolve: Resolve, tmp_path: Path) -> None:
    netrc(tmp_path, ("api.wandb.ai", OTHER))
    assert resolve().api_key == KEY
    assert resolve(environ={"WANDB_API_KEY": None}).api_key == OTHER
    assert resolve(environ={"WANDB_API_KEY": ""}).api_key == OTHER


def test_a_machine_with_its_port_comes_before_one_without(resolve: Resolve, tmp_path: Path) -> None:
    where = {"base_url": "http://localhost:8080"}
    netrc(tmp_path, ("localhost", OTHER))
    assert resolve(where, {"WANDB_API_KEY": None}).api_key == OTHER
    netrc(tmp_path, ("localhost", OTHER), ("localhost:8080", KEY))
    assert resolve(where, {"WANDB_API_KEY": None}).api_key == KEY


def test_the_key_of_another_machine_is_not_taken(resolve: Resolve, tmp_path: Path) -> None:
    netrc(tmp_path, ("other.example", OTHER))
    with (tmp_path / ".netrc").open("a") as file:
        file.write(f"default login x password {OTHER}\n")
    with pytest.raises(UsageError, match="no API key"):
        resolve(environ={"WANDB_API_KEY": None})


def test_netrc_can_lie_elsewhere(resolve: Resolve, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", f"machine api.wandb.ai login user password {OTHER}\n")
    assert resolve(environ={"WANDB_API_KEY": None, "NETRC": str(tmp_path / "elsewhere")}).api_key == OTHER
    write(tmp_path / "_netrc", f"machine api.wandb.ai login user password {OTHER}\n")
    assert resolve(environ={"WANDB_API_KEY": None}).api_key == OTHER


def test_a_netrc_that_is_malformed_is_a_warning_and_no_key(resolve: Resolve, tmp_path: Path) -> None:
    write(tmp_path / ".netrc", f"machine\npassword {OTHER} nonsense")
    with pytest.warns(UserWarning, match="malformed") as caught, pytest.raises(UsageError, match="no API key"):
        resolve(environ={"WANDB_API_KEY": None})
    assert OTHER not in str(caught[0].message)


def test_an_entry_without_a_password_is_a_warning_and_no_key(resolve: Resolve, tmp_path: Path) -> None:
    write(tmp_path / ".netrc", "machine api.wandb.ai login user\n")
    with pytest.warns(UserWarning, match="without a password"), pytest.raises(UsageError, match="no API key"):
        resolve(environ={"WANDB_API_KEY": None})


def test_no_key_says_how_to_get_one_and_writes_nothing(resolve: Resolve, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"WANDB_API_KEY.*api_key=.*machine localhost:8080"):
        resolve({"base_url": "http://localhost:8080"}, {"WANDB_API_KEY": None})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", [KEY, f"local-{KEY}", f"prefix-{KEY[:20]}_-{KEY[:20]}", "ey.J-w_t.x", "a" * 86])
def test_what_a_key_may_be(resolve: Resolve, key: str) -> None:
    assert resolve(api_key=key).api_key == key


@pytest.mark.parametrize("key", ["short", f"{KEY}!", f"{KEY}\n", f"prefix-{KEY[:39]}", "ü" * 40, "a.b", f"-{KEY[:5]}"])
def test_what_is_no_key_is_refused_and_not_shown(resolve: Resolve, key: str) -> None:
    with pytest.raises(AuthenticationError, match="WANDB_API_KEY is no API key") as caught:
        resolve(environ={"WANDB_API_KEY": key})
    assert key.strip() not in str(caught.value)


def test_two_ways_to_sign_in_at_once_are_refused(resolve: Resolve) -> None:
    with pytest.raises(AuthenticationError, match="both set"):
        resolve(environ={"WANDB_IDENTITY_TOKEN_FILE": "/token"})
    with pytest.raises(UsageError, match="identity tokens are not supported"):
        resolve(environ={"WANDB_API_KEY": None, "WANDB_IDENTITY_TOKEN_FILE": "/token"})


def test_no_secret_is_in_the_repr(resolve: Resolve) -> None:
    settings = resolve({"_proxies": {"http": "http://me:hidden@proxy"}, "_extra_http_headers": {"X-Token": "hidden"}})
    assert KEY not in repr(settings)
    assert "hidden" not in repr(settings)


# The rest.


@pytest.mark.parametrize(("value", "seconds"), [("5", 5), ("0", 0), ("2.5", 2.5), ("", 19)])
def test_the_timeout_may_come_from_the_environment(resolve: Resolve, value: str, seconds: float) -> None:
    assert resolve(environ={"WANDB_HTTP_TIMEOUT": value}).timeout == seconds
    assert resolve(environ={"WANDB_HTTP_TIMEOUT": value}, timeout=0).timeout == 0


@pytest.mark.parametrize("value", ["abc", "-1", "nan", "inf"])
def test_a_timeout_that_is_no_number_is_named(resolve: Resolve, value: str) -> None:
    with pytest.raises(SettingsError, match=f"WANDB_HTTP_TIMEOUT is '{value}'; a number of seconds"):
        resolve(environ={"WANDB_HTTP_TIMEOUT": value})


@pytest.mark.parametrize("value", [-1, True, "soon", float("nan")])
def test_a_timeout_argument_is_checked_too(resolve: Resolve, value: Any) -> None:
    with pytest.raises(SettingsError, match="timeout is"):
        resolve(timeout=value)


def test_proxies_may_be_given_or_come_from_the_environment(resolve: Resolve) -> None:
    proxies = {"http": "http://one:1", "https": "http://two:2", "ftp": "http://three:3"}
    for settings in (resolve({"_proxies": proxies}), resolve(environ={"WANDB__PROXIES": json.dumps(proxies)})):
        assert settings.proxies == {"http": "http://one:1", "https": "http://two:2"}


def test_headers_may_be_given_or_come_from_the_environment(resolve: Resolve) -> None:
    headers = {"X-Token": "x"}
    assert resolve({"_extra_http_headers": headers}).headers == headers
    for variable in ("WANDB__EXTRA_HTTP_HEADERS", "WANDB_X_EXTRA_HTTP_HEADERS"):
        assert resolve(environ={variable: json.dumps(headers)}).headers == headers


@pytest.mark.parametrize("value", ["{hidden", '["hidden"]', '{"http": 5, "hidden": ""}'])
def test_proxies_that_are_malformed_are_named_but_not_shown(resolve: Resolve, value: str) -> None:
    with pytest.raises(SettingsError, match="WANDB__PROXIES") as caught:
        resolve(environ={"WANDB__PROXIES": value})
    assert "hidden" not in str(caught.value)


def test_settings_pickle(resolve: Resolve) -> None:
    settings = resolve()
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_ENTITY", "team")
    monkeypatch.chdir(tmp_path)
    settings = Settings.resolve("local:here")
    assert (settings.entity, settings.local_directory) == ("team", tmp_path / "here")
