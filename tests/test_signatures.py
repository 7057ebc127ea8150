"""`Api` has the documented methods and properties, with the documented arguments: the table is signatures.txt."""

from __future__ import annotations

import inspect

import pytest

from documented import api_methods, api_properties
from runframe import Api

METHODS = api_methods()


def test_the_table_is_whole() -> None:
    assert len(METHODS) == 32
    assert str(METHODS["artifacts"]) == "(type_name, name, per_page=50, tags=None)"
    assert api_properties() == ["api_key", "client", "default_entity", "user_agent", "viewer"]


@pytest.mark.parametrize("name", METHODS)
def test_a_method_takes_the_documented_arguments_and_ours_by_name_alone(name: str) -> None:
    parameters = list(inspect.signature(getattr(Api, name)).parameters.values())[1:]
    documented = len(METHODS[name].parameters)
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters[:documented]]
    assert plain == list(METHODS[name].parameters.values())
    assert [parameter.kind for parameter in parameters[documented:]] == [inspect.Parameter.KEYWORD_ONLY] * (
        len(parameters) - documented
    )


@pytest.mark.parametrize("name", METHODS)
def test_a_method_can_be_called_as_documented(name: str) -> None:
    arguments = list(METHODS[name].parameters)
    bound = inspect.signature(getattr(Api, name)).bind(None, *arguments)
    assert list(bound.arguments)[1:] == arguments


@pytest.mark.parametrize("name", api_properties())
def test_a_property_is_one(name: str) -> None:
    assert isinstance(getattr(Api, name), property)
