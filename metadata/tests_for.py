"""Which Apex tests to propose for a change; a person may change the list.

A changed test runs itself. A changed component brings the tests that say so (``testFor``), that are
called after it, or that name it; where nobody names it, those that name one of its users. Apex that
nothing tests is told, because a deployment counts its coverage all the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from metadata.components import ComponentKey
from metadata.normal import Files, NormalForm
from metadata.references import APEX, References, bare, index, inverted

_TEST = re.compile(rb"@istest\b|\btestmethod\b", re.IGNORECASE)
_TEST_FOR = re.compile(rb"@istest\s*\([^)]*\btestfor\s*=\s*'([^']*)'", re.IGNORECASE)
_AFFIX = re.compile(r"^tests?_?|_?(?:unit)?tests?(?:_?class)?$", re.IGNORECASE)

Reasons = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Names of test classes with why each is there, and changed Apex that no test is known for."""

    tests: tuple[tuple[str, tuple[str, ...]], ...]
    untested: tuple[ComponentKey, ...]

    @property
    def names(self) -> list[str]:
        """The tests' names."""
        return [name for name, _reasons in self.tests]


def tests_of(form: NormalForm) -> NormalForm:
    """The test classes of a package, and nothing else."""
    return NormalForm({key: files for key, files in form.items() if _code_of_test(key, files)})


def _code_of_test(key: ComponentKey, files: Files) -> bytes:
    """The code of a test class; empty for everything else."""
    if key.type != "ApexClass":
        return b""
    code = next((files[path] for path in files if path.endswith(".cls")), b"")
    return code if _TEST.search(code) and _TEST.search(bare(code)) else b""


class Suite:
    """The Apex tests of one package."""

    def __init__(self, form: NormalForm, references: References | None = None) -> None:
        self._form = form
        self._users = inverted(index(form) if references is None else references)

    @property
    def names(self) -> list[str]:
        """Every test class of the package."""
        return sorted(self._all)

    def propose(self, changed: Collection[ComponentKey]) -> Proposal:
        """The tests for some components that change."""
        reasons: Reasons = {}
        untested: list[ComponentKey] = []
        for key in sorted(changed):
            found = self._of(key)
            for test, why in found.items():
                reasons.setdefault(test, []).append(why)
            if not found and key.type in APEX:
                untested.append(key)
        return Proposal(
            tuple((test, tuple(reasons[test])) for test in sorted(reasons)), tuple(untested)
        )

    def _of(self, key: ComponentKey) -> Mapping[str, str]:
        if key.type == "ApexClass" and key.name in self._all:
            return {key.name: f"{key.name} changes"}
        found: dict[str, str] = {}
        users = self._users.get(key, frozenset())
        for user in users & self._keys:
            found[user.name] = f"names {key.name}"
        for name in self._called_after.get(key.name.lower(), ()) if key.type in APEX else ():
            found[name] = f"is called after {key.name}"
        for name in self._written_for.get(key.name.lower(), ()):
            found[name] = f"is written for {key.name}"
        if not found:
            for user in sorted(users):
                for test in sorted(self._users.get(user, frozenset()) & self._keys):
                    found.setdefault(test.name, f"names {user.name}, which names {key.name}")
        return found

    @cached_property
    def _all(self) -> dict[str, bytes]:
        """Test classes by name with their code."""
        codes = ((key.name, _code_of_test(key, files)) for key, files in self._form.items())
        return {name: code for name, code in codes if code}

    @cached_property
    def _keys(self) -> frozenset[ComponentKey]:
        return frozenset(ComponentKey("ApexClass", name) for name in self._all)

    @cached_property
    def _called_after(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for test in self._all:
            found.setdefault(_AFFIX.sub("", test).lower(), []).append(test)
        return found

    @cached_property
    def _written_for(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for test, code in self._all.items():
            for listed in _TEST_FOR.findall(code):
                for name in listed.decode("utf-8", "replace").split(","):
                    own = name.strip().rpartition(":")[2].lower()
                    found.setdefault(own, []).append(test)
        return found
