"""The demo's metadata is believable: complete, consistent, and the same in both formats."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from demo.content import production, seed
from demo.content.components import Components, Filed, Key
from demo.content.layout import metadata_format, zip_of
from demo.content.repositories import STORIES, git
from demo.content.story import Tag, components_at
from metadata import package
from metadata.mirrors import Mirror
from metadata.source import read_commit
from tests.demo.test_repositories import TAGS

VERSIONS = [(team, tag) for team, tags in TAGS.items() for tag in tags]
CUSTOM_NAME = re.compile(r"\b[A-Za-z]\w*__c\b")
CUSTOM_PATH = re.compile(r"<field>(\w+\.\w+__c)</field>")


def _all_at(team: str, tag: str) -> Components:
    """What an org holds after the tag: production's own components and the team's."""
    return {**production.components(), **components_at(STORIES[team], tag)}


def _code(components: Components) -> Iterator[tuple[Key, str]]:
    for key, component in components.items():
        if isinstance(component, Filed) and key.type in {"ApexClass", "ApexTrigger"}:
            text = next(
                body.decode()
                for path, body in component.files.items()
                if not path.endswith("-meta.xml")
            )
            yield key, text


@pytest.mark.parametrize(("team", "tag"), VERSIONS)
def test_every_xml_file_is_well_formed(team: str, tag: str) -> None:
    files = metadata_format(_all_at(team, tag))

    for path, body in files.items():
        if body.startswith(b"<?xml"):
            etree.fromstring(body)
        assert body, f"{path} is empty"


@pytest.mark.parametrize(("team", "tag"), VERSIONS)
def test_braces_of_tagged_apex_match(team: str, tag: str) -> None:
    for key, text in _code(components_at(STORIES[team], tag)):
        assert text.count("{") == text.count("}"), f"{key} does not compile"


@pytest.mark.parametrize(("team", "tag"), VERSIONS)
def test_every_class_has_a_test_class(team: str, tag: str) -> None:
    components = components_at(STORIES[team], tag)
    classes = {key.name for key, text in _code(components) if key.type == "ApexClass"}
    tests = {key.name for key, text in _code(components) if "@IsTest" in text}

    assert {f"{name}Test" for name in classes - tests} <= tests


@pytest.mark.parametrize(("team", "tag"), VERSIONS)
def test_files_name_only_custom_fields_and_objects_that_exist(team: str, tag: str) -> None:
    components = _all_at(team, tag)
    objects = {key.name for key in components if key.type == "CustomObject"}
    fields = {key.name.split(".")[1] for key in components if key.type == "CustomField"}
    for path, body in metadata_format(components).items():
        if not path.startswith("staticresources/"):
            unknown = set(CUSTOM_NAME.findall(body.decode())) - objects - fields
            assert not unknown, f"{path} names {sorted(unknown)}"


@pytest.mark.parametrize(("team", "tag"), VERSIONS)
def test_permissions_name_only_fields_that_exist(team: str, tag: str) -> None:
    components = _all_at(team, tag)
    known = {key.name for key in components if key.type == "CustomField"}
    for path, body in metadata_format(components).items():
        if path.startswith(("permissionsets/", "profiles/")):
            assert set(CUSTOM_PATH.findall(body.decode())) <= known, path


@pytest.mark.parametrize(("team", "tag"), VERSIONS)
def test_repository_holds_exactly_the_components_of_its_story(
    built: dict[str, Path], team: str, tag: str
) -> None:
    mirror = Mirror(built[team])
    from_git = read_commit(mirror, mirror.resolve(tag))
    told = package.read_zip(zip_of(metadata_format(components_at(STORIES[team], tag))))

    assert {str(key) for key in from_git} == {str(key) for key in told}
    assert from_git.digest() == told.digest()


def test_teams_meet_at_the_one_component_they_are_to_fight_about() -> None:
    held: dict[Key, str] = dict.fromkeys(production.components(), "platform")
    met = []
    for team in STORIES:
        for key in components_at(STORIES[team], TAGS[team][-1]):
            met += [(key.type, key.name, held[key], team)] if key in held else []
            held[key] = team
    assert met == [("CustomLabel", "Callback_Promise", "sales", "service")]


def test_last_commit_of_the_service_team_does_not_compile(built: dict[str, Path]) -> None:
    text = git(built["service"], "show", "main:src/classes/ServiceLevel.cls")

    assert text.count("{") == text.count("}") + 1


def test_production_begins_with_the_first_tag_of_every_team() -> None:
    form = package.read_zip(seed.metadata_zip())

    names = {str(key) for key in form}
    assert {
        "ApexClass:RenewalPlanner",
        "ApexClass:VisitPlanner",
        "ApexClass:LoyaltyAccrual",
    } <= names
    assert "CustomField:Account.Region__c" in names
    assert "ApexClass:RenewalQuoteService" not in names


def test_stories_end_after_their_last_tag() -> None:
    for story in STORIES.values():
        tags = [step.name for step in story.steps if isinstance(step, Tag)]
        assert not isinstance(story.steps[-1], Tag)
        assert tags == TAGS[story.team]
