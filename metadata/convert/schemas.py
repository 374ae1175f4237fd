"""Turn a YAML schema back into the JSON that it was uploaded as.

YAML 1.2's core types only, as the official tools read it: ``yes`` and dates are texts. Aliases are
refused, because a few lines of them can stand for gigabytes.
"""

from __future__ import annotations

import json
import re

import yaml

from core.errors import InvalidInput

MAX_BYTES = 5_000_000


class _Core(yaml.SafeLoader):
    """YAML 1.2 core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


_Core.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Core.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]
)
_Core.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789")
)
_Core.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)


def _integer(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    return int(str(loader.construct_scalar(node)))


def _number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float | int:
    value = float(str(loader.construct_scalar(node)))
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


_Core.add_constructor("tag:yaml.org,2002:int", _integer)
_Core.add_constructor("tag:yaml.org,2002:float", _number)


def as_json(path: str, content: bytes) -> str:
    """The schema as JSON with two blanks of indentation.

    Raises InvalidInput ``metadata.schema`` naming the file and the problem.
    """
    if len(content) > MAX_BYTES:
        raise _refusal(path, "it is larger than 5 MB")
    text = content.decode("utf-8-sig", "replace")
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, _Core)):
            raise _refusal(path, "it uses aliases")
        loaded = yaml.load(text, _Core)  # noqa: S506 - a SafeLoader with fewer types
        return json.dumps(loaded, indent=2, ensure_ascii=False, allow_nan=False)
    except yaml.MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 1
        raise _refusal(path, f"line {line}: {fault.problem}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as fault:
        raise _refusal(path, str(fault)) from None


def _refusal(path: str, problem: str) -> InvalidInput:
    return InvalidInput(
        "metadata.schema", f"{path} cannot be turned back into JSON: {problem}.", path=path
    )
