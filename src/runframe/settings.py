"""Where each setting comes from: argument, environment, settings files, netrc. Read once, when an `Api` is made.

Lowest to highest: built-in defaults, the global settings file, the workspace's settings file, the environment, the
overrides. Nothing is ever written, and nobody is asked for a key.
"""

from __future__ import annotations

import configparser
import json
import math
import netrc
import os
import re
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from .errors import AuthenticationError, SettingsError, UsageError

__all__ = ["Settings"]

DEFAULT_BASE_URL = "https://api.wandb.ai"
DEFAULT_TIMEOUT = 19.0
_LOCAL = "local:"
_SECTION = "default"

_DEFAULTS: Mapping[str, Any] = {
    "section": _SECTION,
    "git_remote": "origin",
    "ignore_globs": [],
    "base_url": DEFAULT_BASE_URL,
    "root_dir": None,
    "api_key": None,
    "entity": None,
    "organization": None,
    "project": None,
    "_extra_http_headers": None,
    "_proxies": None,
}
_FROM_ENVIRONMENT = {
    "base_url": "WANDB_BASE_URL",
    "entity": "WANDB_ENTITY",
    "project": "WANDB_PROJECT",
    "organization": "WANDB_ORGANIZATION",
}
_JWT = re.compile(r"[\w-]+(\.[\w-]+){2}", re.ASCII)
_SECRET_PART = re.compile(r"[\w-]+", re.ASCII)
_SHORTEST_KEY = 40


@dataclass(frozen=True)
class Settings:
    """What an `Api` needs to know.

    Attributes:
        base_url: the server's address without a slash at its end, or `local:DIR`.
        app_url: the address of its web pages, with a slash at its end.
        entity: the entity that paths without one belong to; None where it is not set.
        project: likewise the project.
        organization: likewise the organisation, for registries.
        timeout: seconds for one attempt of a request.
        api_key: the key; None for `local:DIR`, which has its own.
        headers: further headers for the server's own origin.
        proxies: URL of the proxy for `http` and `https`; None leaves it to the environment.
        options: every option by the name that `wandb` has for it, unknown overrides included.
    """

    base_url: str
    app_url: str
    entity: str | None
    project: str | None
    organization: str | None
    timeout: float
    api_key: str | None = field(repr=False)
    headers: Mapping[str, str] | None = field(repr=False)
    proxies: Mapping[str, str] | None = field(repr=False)
    options: Mapping[str, Any] = field(repr=False)

    @property
    def local_directory(self) -> Path | None:
        """The folder behind `local:DIR`, or None where the server is elsewhere."""
        return _local_directory(self.base_url)

    @classmethod
    def resolve(
        cls,
        overrides: Mapping[str, Any] | str | None = None,
        *,
        timeout: float | None = None,
        api_key: str | None = None,
        environ: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> Settings:
        """Find every setting.

        Args:
            overrides: settings by name; text is short for `{"base_url": text}`.
            timeout: seconds for one attempt; None takes `WANDB_HTTP_TIMEOUT`, else 19.
            api_key: the key; None looks for one.
            environ: the environment (`os.environ`).
            directory: what relative paths start from (the working directory).

        Raises:
            SettingsError: a value is malformed; the message names it and says what was expected.
            AuthenticationError: the key cannot be one, or two ways to sign in are set at once.
            UsageError: there is no key.
        """
        environ = os.environ if environ is None else environ
        directory = (directory or Path()).absolute()
        options = _options(overrides, environ, directory)
        base_url = options["base_url"]
        return cls(
            base_url=base_url,
            app_url=_app_url(base_url, environ),
            entity=options["entity"] or None,
            project=options["project"] or None,
            organization=options["organization"] or None,
            timeout=_timeout(timeout, environ),
            api_key=_api_key(api_key or options["api_key"], base_url, environ),
            headers=_texts(options["_extra_http_headers"], environ, "_extra_http_headers"),
            proxies=_proxies(options["_proxies"], environ),
            options=options,
        )


def _options(overrides: Mapping[str, Any] | str | None, environ: Mapping[str, str], directory: Path) -> dict[str, Any]:
    """Every option, from the lowest source to the highest."""
    given = {"base_url": overrides} if isinstance(overrides, str) else dict(overrides or {})
    options = dict(_DEFAULTS)
    options.update(_file_options(_config_directory(environ) / "settings"))
    options.update(_file_options(directory / environ.get("WANDB_DIR", "") / "wandb" / "settings"))
    for name, variable in _FROM_ENVIRONMENT.items():
        if variable in environ:
            options[name] = environ[variable]
    if given.get("username") and not given.get("entity"):
        _warn('overrides["username"] is deprecated: write "entity" instead')
        given["entity"] = given["username"]
    options.update(given)
    for name in ("entity", "project", "organization", "api_key"):
        if options[name] is not None and not isinstance(options[name], str):
            shown = "a value" if name == "api_key" else repr(options[name])
            raise SettingsError(f"{name} is {shown} of type {type(options[name]).__name__}; text was expected")
    options["base_url"] = _base_url(options["base_url"] or DEFAULT_BASE_URL, directory)
    return options


def _config_directory(environ: Mapping[str, str]) -> Path:
    given = environ.get("WANDB_CONFIG_DIR")
    return Path(given).expanduser() if given else _home(environ) / ".config" / "wandb"


def _home(environ: Mapping[str, str]) -> Path:
    given = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(given) if given else Path.home()


def _file_options(path: Path) -> dict[str, str]:
    """The options in a settings file; none where there is no file."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise SettingsError(f"the settings file {path} cannot be read ({error}); mend or remove it") from error
    return dict(parser[_SECTION]) if parser.has_section(_SECTION) else {}


def _base_url(text: object, directory: Path) -> str:
    """A base URL, checked; a local folder's path made absolute."""
    if not isinstance(text, str):
        raise SettingsError(
            f"base_url is {text!r}; an address such as {DEFAULT_BASE_URL!r} or 'local:DIR' was expected"
        )
    if text.startswith(_LOCAL):
        folder = text[len(_LOCAL) :]
        if not folder.strip():
            raise SettingsError(f"base_url {text!r} names no folder; 'local:DIR' was expected")
        return f"{_LOCAL}{directory / Path(folder).expanduser()}"
    parts, port_is_good = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_good or re.search(r"\s", text):
        hint = f"; did you mean {f'http://{text}'!r}?" if re.fullmatch(r"[\w.-]+:\d+/?", text) else ""
        raise SettingsError(
            f"base_url {text!r} is no address: 'http://host:port', 'https://host' or 'local:DIR' was expected{hint}"
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError(
            f"base_url for {parts.hostname!r} holds more than an address: leave out user, password and everything "
            "from '?' or '#' on; the key belongs in WANDB_API_KEY"
        )
    return text.rstrip("/")


def _split(text: str) -> tuple[SplitResult, bool]:
    """The parts of a URL, and whether its port, if any, is one."""
    try:
        parts = urlsplit(text)
        return parts, parts.port is None or parts.port > 0
    except ValueError:
        return SplitResult("", "", "", "", ""), False


def _local_directory(base_url: str) -> Path | None:
    return Path(base_url[len(_LOCAL) :]) if base_url.startswith(_LOCAL) else None


def _app_url(base_url: str, environ: Mapping[str, str]) -> str:
    """The address of the web pages, as the official client derives it."""
    url = environ.get("WANDB_APP_URL") or base_url
    if not environ.get("WANDB_APP_URL"):
        if "://api.wandb." in url:
            url = url.replace("://api.wandb.", "://wandb.", 1)
        else:
            url = url.replace("://api.", "://app.", 1)
    return url.rstrip("/") + "/"


def _timeout(given: float | None, environ: Mapping[str, str]) -> float:
    value: Any = given
    name = "timeout"
    if value is None and environ.get("WANDB_HTTP_TIMEOUT"):
        name, value = "WANDB_HTTP_TIMEOUT", environ["WANDB_HTTP_TIMEOUT"]
    if value is None:
        return DEFAULT_TIMEOUT
    try:
        seconds = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise SettingsError(f"{name} is {value!r}; a number of seconds, 0 or more, was expected")
    return seconds


def _texts(given: object, environ: Mapping[str, str], name: str) -> dict[str, str] | None:
    """A mapping of text to text, given as one or as JSON in the environment. Its values are not shown: secrets."""
    variables = {f"WANDB_{name.upper()}", f"WANDB_X_{name.strip('_').upper()}"}
    for variable in sorted(variables):
        if given is None and environ.get(variable):
            name = variable
            try:
                given = json.loads(environ[variable])
            except ValueError:
                raise SettingsError(f'{name} is not JSON; an object such as {{"name": "value"}} was expected') from None
    if given is None:
        return None
    if not isinstance(given, Mapping) or not all(isinstance(x, str) for pair in given.items() for x in pair):
        raise SettingsError(f"{name} is no mapping of text to text")
    return dict(given)


def _proxies(given: object, environ: Mapping[str, str]) -> dict[str, str] | None:
    proxies = _texts(given, environ, "_proxies")
    if proxies is None:
        return None
    return {scheme: url for scheme, url in proxies.items() if scheme in ("http", "https")}


def _api_key(given: str | None, base_url: str, environ: Mapping[str, str]) -> str | None:
    """The key for a server, checked: argument, environment, netrc."""
    if given or _local_directory(base_url) is not None:
        return _checked_key(given, "the api_key that was given") if given else None
    key, token_file = environ.get("WANDB_API_KEY"), environ.get("WANDB_IDENTITY_TOKEN_FILE")
    if key and token_file:
        raise AuthenticationError("WANDB_API_KEY and WANDB_IDENTITY_TOKEN_FILE are both set; unset one of them")
    if key:
        return _checked_key(key, "WANDB_API_KEY")
    if token_file:
        raise UsageError("WANDB_IDENTITY_TOKEN_FILE is set, but identity tokens are not supported; set WANDB_API_KEY")
    machine = urlsplit(base_url)
    path = _netrc_path(environ)
    key = _netrc_key(path, (machine.netloc, machine.hostname or "")) if path else None
    if key:
        return _checked_key(key, f"the key in {path}")
    raise UsageError(
        f"no API key for {base_url}: set WANDB_API_KEY, pass api_key=, or add 'machine {machine.netloc} login user "
        f"password KEY' to {path or '~/.netrc'} (wandb login does that)"
    )


def _checked_key(key: str, source: str) -> str:
    """The key, if it can be one; the message never holds it."""
    if _JWT.fullmatch(key):
        return key
    secret = key.partition("-")[2] if "-" in key else key
    if not _SECRET_PART.fullmatch(secret):
        raise AuthenticationError(
            f"{source} is no API key: it holds characters other than letters, digits, '-' and '_'"
        )
    if len(secret) < _SHORTEST_KEY:
        raise AuthenticationError(
            f"{source} is no API key: it has {len(secret)} characters, {_SHORTEST_KEY} or more were expected"
        )
    return key


def _netrc_path(environ: Mapping[str, str]) -> Path | None:
    if environ.get("NETRC"):
        return Path(environ["NETRC"]).expanduser()
    candidates = (_home(environ) / name for name in (".netrc", "_netrc"))
    return next((path for path in candidates if path.exists()), None)


def _netrc_key(path: Path, machines: tuple[str, ...]) -> str | None:
    """The password of the first of these machines that the file knows; its `default` entry is not for us."""
    try:
        entries = netrc.netrc(str(path)).hosts
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, netrc.NetrcParseError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is malformed"
        _warn(f"{path} cannot be read for an API key: {reason}", UserWarning)
        return None
    for machine in machines:
        if machine in entries and machine != "default":
            password = entries[machine][2]
            if password:
                return password
            _warn(f"{path} has an entry for {machine} without a password, so no API key comes from it", UserWarning)
    return None


def _warn(message: str, category: type[Warning] = DeprecationWarning) -> None:
    """Warn at the line outside this package that led here."""
    package = str(Path(__file__).parent) + os.sep
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(package):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
