"""Small real Git repositories for tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

WHEN = "2026-10-01T12:00:00+00:00"
QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


class Repo:
    """A work-tree repository that commits what it is given."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *args: str) -> str:
        """Run git as one fixed person at one fixed time."""
        environment = {
            **os.environ,
            **QUIET,
            "GIT_AUTHOR_NAME": "Dana Fox",
            "GIT_AUTHOR_EMAIL": "dana@northwind.example",
            "GIT_AUTHOR_DATE": WHEN,
            "GIT_COMMITTER_NAME": "Build Bot",
            "GIT_COMMITTER_EMAIL": "bot@northwind.example",
            "GIT_COMMITTER_DATE": WHEN,
        }
        done = subprocess.run(
            ["git", "-C", str(self.path), *args], env=environment, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    def commit(self, files: Mapping[str, str | bytes | None], message: str = "change") -> str:
        """Write files (``None`` removes one) and commit them; returns the SHA."""
        for name, content in files.items():
            target = self.path / name
            if content is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
PROJECT = '{"packageDirectories": [{"path": "force-app"}], "sourceApiVersion": "64.0"}'
MANIFEST = f"{HEAD}<Package {NS}><version>64.0</version></Package>"
CLASS_META = f"{HEAD}<ApexClass {NS}><apiVersion>64.0</apiVersion></ApexClass>"
BASE = "force-app/main/default"


def field(name: str, label: str = "Label") -> str:
    """A custom field's source file."""
    return (
        f"{HEAD}<CustomField {NS}><fullName>{name}</fullName><label>{label}</label>"
        "<type>Text</type><length>80</length></CustomField>"
    )


def nested_field(name: str, label: str = "Label") -> str:
    """The same field inside an object file."""
    return (
        f"<fields><fullName>{name}</fullName><label>{label}</label>"
        "<type>Text</type><length>80</length></fields>"
    )
