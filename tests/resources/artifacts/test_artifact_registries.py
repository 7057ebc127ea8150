"""Which organisation a registry belongs to."""

from __future__ import annotations

from typing import Any

import pytest

from runframe import Api, CommError
from runframe.resources.artifacts.registries import organization_of, registry_entity
from runframe.resources.client import Client

ACME = {"name": "Acme Inc", "orgEntity": {"name": "acme"}}
OTHER = {"name": "Other", "orgEntity": {"name": "other"}}


class Known(Client):
    """A connection to a server that knows an entity so."""

    def __init__(self, client: Client, entity: dict[str, Any], **settings: Any) -> None:
        super().__init__(client.session, client.app_url, {"entity": "someone", **settings})
        self.entity = entity

    def query(self, noun: str, operation: str, variables: Any) -> dict[str, Any]:
        assert (operation, variables) == ("FetchOrgInfoFromEntity", {"entity": "someone"})
        return {"entity": self.entity}


TEAM = {"organization": ACME, "user": None}
PERSON = {"organization": None, "user": {"organizations": [ACME, OTHER]}}
MEMBER = {"organization": None, "user": {"organizations": [OTHER]}}
NOBODY = {"organization": None, "user": {"organizations": []}}


@pytest.mark.parametrize(
    ("entity", "named", "owner"),
    [
        (TEAM, "", "acme"),
        (TEAM, "Acme Inc", "acme"),
        (TEAM, "acme", "acme"),
        (PERSON, "Other", "other"),
        (PERSON, "acme", "acme"),
        (MEMBER, "", "other"),
    ],
)
def test_the_entity_of_an_organisation_is_found(api: Api, entity: dict[str, Any], named: str, owner: str) -> None:
    assert registry_entity(Known(api.client, entity), named) == owner


@pytest.mark.parametrize(
    ("entity", "named", "message"),
    [
        (TEAM, "Other", "'Acme Inc', not to 'Other'"),
        (PERSON, "", "'Acme Inc', 'Other': name one"),
        (PERSON, "Third", "not to 'Third'"),
        (NOBODY, "", "no organisation"),
        (NOBODY, "acme", "no organisation"),
    ],
)
def test_what_cannot_be_decided_is_told(api: Api, entity: dict[str, Any], named: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        registry_entity(Known(api.client, entity), named)
    assert isinstance(caught.value, CommError)


def test_a_setting_names_the_organisation(api: Api) -> None:
    assert registry_entity(Known(api.client, PERSON, organization="Other"), "") == "other"


def test_an_organisation_has_a_name_for_people(api: Api) -> None:
    assert organization_of(Known(api.client, TEAM), "someone") == "Acme Inc"
    assert organization_of(Known(api.client, NOBODY), "someone") is None
