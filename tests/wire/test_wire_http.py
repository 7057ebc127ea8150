"""Limits, origins, and which proxy a request goes through."""

from __future__ import annotations

import pytest
from gql.transport import httpx as gql_httpx

from runframe.wire import http
from runframe.wire.http import Limits, Network, Timeouts, httpx, origin_of, shown


def test_the_module_is_the_one_that_gql_took() -> None:
    assert httpx is gql_httpx.httpx


@pytest.mark.parametrize("setting", [{"soft_deadline": 0}, {"page_size": -1}, {"first_concurrency": 50}])
def test_limits_refuse_what_cannot_be(setting: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        Limits(**setting)


def test_limits_have_a_value() -> None:
    assert Limits(page_size=10) == Limits(page_size=10) != Limits()


def test_connecting_is_given_less_time_than_answering() -> None:
    timeouts = Timeouts.of(19, Limits())
    assert timeouts.as_extension() == {"connect": 10.0, "read": 19, "write": 19, "pool": None}
    assert Timeouts.of(3, Limits()).connect == 3


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://api.wandb.ai/graphql", "https://api.wandb.ai"),
        ("https://api.wandb.ai:443/graphql", "https://api.wandb.ai"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080/x", "http://[::1]:8080"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, text: str) -> None:
    assert str(origin_of(httpx.URL(url))) == text


def test_origins_differ_in_each_of_their_parts() -> None:
    urls = ["https://a.b/", "http://a.b/", "https://a.c/", "https://a.b:8443/"]
    assert len({origin_of(httpx.URL(url)) for url in urls}) == 4


def test_a_url_is_shown_without_query_and_credentials() -> None:
    assert shown("https://me:pw@store.example/file?X-Signature=abc#part") == "https://store.example/file"
    assert "pw" not in shown("https://me:pw@store.example:notaport/")


def test_proxies_are_chosen_by_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network({"https": "http://proxy:3128"})
    assert network._proxy_for(httpx.URL("https://api.wandb.ai/x")) == "http://proxy:3128"
    assert network._proxy_for(httpx.URL("http://localhost:8080/x")) is None


def test_the_environments_proxy_and_its_exceptions_are_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "proxy:3128")
    monkeypatch.setenv("http_proxy", "proxy:3128")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.1")
    network = Network()
    assert network._proxy_for(httpx.URL("http://example.com/x")) == "http://proxy:3128"
    assert network._proxy_for(httpx.URL("http://127.0.0.1:8080/x")) is None


def test_names_are_complete() -> None:
    assert all(hasattr(http, name) for name in http.__all__)
