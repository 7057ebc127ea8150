"""Users and their keys, teams and their members."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from case import Cases, Read, Write, kind, refused
from cases_api import another

KEY = Path("key.txt")


def member(team: Any, name: str) -> Any:
    [found] = [each for each in team.members if name in (each.name, each.email)]
    return found


def members(api: Any, project: str) -> list[Any]:
    return [
        [
            each.name.replace(project, "NAME"), each.username is not None, each.admin, each.pending, each.account_type,
            each.team == project,
        ]
        for each in api.team(project).members
    ]  # fmt: skip


def hired(api: Any, project: str) -> None:
    """A team with two people, one that was asked, and a service account."""
    crew = api.create_team(project)
    assert [crew.invite("ann"), crew.invite("anna@example.com", admin=True), crew.invite("ann")] == [True, True, False]
    assert [crew.invite(f"{project}@example.org", True), crew.invite("nobody"), crew.invite("")] == [True, False, False]
    robot = crew.create_service_account("robot")
    KEY.write_text(robot.api_key)


def dismissed(api: Any, project: str) -> None:
    hired(api, project)
    crew = api.team(project)
    given = [member(crew, name).delete() for name in ("ann", f"{project}@example.org", "robot")]
    assert given == [True] * 3 and member(crew, "ann").delete() is False


def key_made(api: Any, project: str) -> None:
    KEY.write_text(another(api).viewer.generate_api_key(f"of {project}"))


def key_deleted(api: Any, project: str) -> None:
    key_made(api, project)
    viewer = another(api).viewer
    [name] = [name for name in viewer.api_keys if name[:4] == KEY.read_text()[:4]][-1:]
    assert viewer.delete_api_key(name) is True


def whose_key(api: Any, project: str) -> Any:
    """Who the key in the file belongs to; None where nobody has it."""
    if refused(lambda: another(api, api_key=KEY.read_text())):
        return None
    return another(api, api_key=KEY.read_text()).viewer.username


CASES: Cases = {
    "Api.user": {
        **{
            name: Read(lambda api, name=name: api.user(name))
            for name in ("ann", "anna", "ANN@example.org", "anna@example.com", "nobody", "local", "")
        },
        "by name": Read(lambda api: api.user(username_or_email="anna").email),
    },
    "Api.users": {
        name: Read(lambda api, name=name: api.users(name)) for name in ("ann", "anna@example.com", "nobody", "local")
    },
    "Api.create_user": {
        "an admin, and none": Write(
            lambda api, project: [
                api.create_user(f"{project}@example.net", admin=True),
                api.create_user(f"{project}@example.edu"),
            ],
            lambda api, project: [
                [user.email.partition("@")[2], user.admin, user.teams == [user.username], user.api_keys]
                for user in (api.user(f"{project}@example.net"), api.user(f"{project}@example.edu"))
            ],
            [["example.net", True, True, []], ["example.edu", False, True, []]],
        ),
        "an address that is none": Read(lambda api: api.create_user("x")),
        "an address that is taken": Read(lambda api: api.create_user("ann@example.org")),
        "None": Read(lambda api: api.create_user(None)),
    },
    "User.create": {
        "by the class": Write(
            lambda api, project: kind(api, "User").create(api, f"{project}@example.net", True),
            lambda api, project: api.user(f"{project}@example.net").admin,
            True,
        )
    },
    "User.user_api": {
        "one's own": Read(lambda api: another(api).viewer.user_api.viewer.username),
        "of who was found": Read(lambda api: api.user("ann").user_api.viewer.username),
    },
    "User.generate_api_key": {"a key that works": Write(key_made, whose_key, "local")},
    "User.delete_api_key": {
        "a key that was made": Write(key_deleted, whose_key, None),
        "a name that is none": Read(lambda api: another(api).viewer.delete_api_key("nothing")),
        "of somebody without": Read(lambda api: api.user("ann").delete_api_key("x")),
    },
    "User.api_keys": {"of somebody without": Read(lambda api: api.user("ann").api_keys)},
    "User.teams": {"of a member": Read(lambda api: api.user("ann@example.org").teams[:2])},
    "User.name": {
        "a field that there is not": Read(lambda api: another(api).viewer.nonsense),
        "shown": Read(lambda api: [repr(another(api).viewer), repr(api.user("anna"))]),
    },
    "Api.team": {
        "of many": Read(lambda api: api.team("readers")),
        "of one": Read(lambda api: api.team(team="local")),
        # The official client's own KeyError there, which says no more than 'members'.
        "that is not there": Read(lambda api: refused(lambda: api.team("nowhere"))),
    },
    "Api.create_team": {
        "one's own": Write(
            lambda api, project: api.create_team(project),
            members,
            [["local", True, True, False, "MEMBER", True]],
        ),
        "of somebody else": Write(
            lambda api, project: api.create_team(project, "ann"),
            members,
            [["ann", True, True, False, "MEMBER", True]],
        ),
        "that is there": Read(lambda api: api.create_team("readers", admin_username="ann")),
        "a name that is none": Read(lambda api: refused(lambda: api.create_team("a/b"))),
        "of nobody": Read(lambda api: refused(lambda: api.create_team("new", "nobody"))),
    },
    "Team.create": {
        "by the class": Write(
            lambda api, project: kind(api, "Team").create(api, project, "anna"),
            lambda api, project: [member.username for member in api.team(project).members],
            ["anna"],
        )
    },
    "Team.members": {"each": Read(lambda api: api.team("readers").members)},
    "Team.load": {
        "what it gives": Read(
            lambda api: [sorted(api.team("readers").load()), api.team("readers").load(force=True)["name"]]
        )
    },
    "Team.name": {
        "a field that there is not": Read(lambda api: api.team("readers").nonsense),
        "shown": Read(lambda api: [repr(team := api.team("readers")), [repr(member) for member in team.members]]),
    },
    "Team.invite": {
        "people": Write(
            hired,
            members,
            [
                ["local", True, True, False, "MEMBER", True],
                ["ann", True, False, False, "MEMBER", True],
                ["anna", True, True, False, "MEMBER", True],
                ["NAME@example.org", False, True, True, "MEMBER", True],
                ["robot", True, False, False, "SERVICE", True],
            ],
        )
    },
    "Team.create_service_account": {
        "its key": Write(
            hired, lambda api, project: another(api, api_key=KEY.read_text()).viewer.teams == [project], True
        ),
        "of a user": Read(lambda api: api.team("local").create_service_account("x")),
    },
    "Member.delete": {
        "three of them": Write(
            dismissed, lambda api, project: [[each[0] for each in members(api, project)], whose_key(api, project)],
            [["local", "anna"], None],
        )
    },
}  # fmt: skip
