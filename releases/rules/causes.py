"""Likely causes of what an org says, by the form of its message.

A guess for people, shown beside the org's own words and never instead of them. Pure.
"""

from __future__ import annotations

import re

_NAME = r"['\"]?(?P<name>[\w.]+)['\"]?"

_CAUSES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(rf"Invalid type: {_NAME}", re.I),
        "The org has no type {name}. Is it in this artefact, or in a package that the org lacks?",
    ),
    (
        re.compile(rf"Variable does not exist: {_NAME}", re.I),
        "The code names {name}, which the org does not have. Is the field or class in the tag?",
    ),
    (
        re.compile(rf"(?:In field: \w+ - )?no (?P<kind>\w+) named {_NAME} found", re.I),
        "The artefact refers to {kind} {name}, and neither the artefact nor the org has it.",
    ),
    (
        re.compile(rf"Entity of type '?(?P<kind>\w+)'? named {_NAME} cannot be found", re.I),
        "The artefact refers to {kind} {name}, and neither the artefact nor the org has it.",
    ),
    (
        re.compile(rf"duplicate value found: {_NAME}", re.I),
        "Something with the same {name} exists in the org under another name.",
    ),
    (
        re.compile(r"test coverage|code coverage", re.I),
        "The org asks for more of the Apex code to be covered by tests.",
    ),
    (
        re.compile(r"AssertException|Assertion Failed", re.I),
        "The test found another result than it expects. Does other automation act here too?",
    ),
    (
        re.compile(r"UNABLE_TO_LOCK_ROW|could not obtain exclusive access", re.I),
        "Somebody or something else used the same records at that moment. Trying again may help.",
    ),
    (
        re.compile(r"REQUIRED_FIELD_MISSING", re.I),
        "A field was made required in this org and the code or test does not fill it.",
    ),
    (
        re.compile(r"^(?:Expecting|Missing|Unexpected token|Extra) ['\"]", re.I),
        "The code does not end as it began: a brace, bracket or semicolon is missing near there.",
    ),
    (
        re.compile(r"Content is not allowed|must be terminated|Error parsing file|XML", re.I),
        "The file is not well-formed XML. Was a merge conflict left in it?",
    ),
)


def likely(problem: str) -> str:
    """One sentence about the likely cause of an org's message; empty when none is known."""
    for pattern, sentence in _CAUSES:
        match = pattern.search(problem)
        if match is not None:
            return sentence.format(**match.groupdict())
    return ""
