"""Read a commit, in source or metadata format, into the normal form."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import InvalidInput
from metadata import layout
from metadata.convert.commit import convert
from metadata.normal import NormalForm
from metadata.refusals import UnsupportedType
from metadata.repository import Repository

__all__ = ["UnsupportedType", "read_commit", "read_with_warnings"]


def read_commit(repository: Repository, rev: str, directories: Sequence[str] = ()) -> NormalForm:
    """The normal form of everything that a commit would deploy.

    Both formats, every type of the registry, all package directories or only the named ones.
    Raises InvalidInput ``metadata.*`` that names the repository's file and the reason: no metadata,
    an unknown type, malformed XML with its line, a component defined twice, half of a pair, a
    symbolic link, a Git LFS pointer; and ExternalFault ``git.*``.
    """
    return read_with_warnings(repository, rev, directories)[0]


def read_with_warnings(
    repository: Repository, rev: str, directories: Sequence[str] = ()
) -> tuple[NormalForm, tuple[str, ...]]:
    """What ``read_commit`` reads, with sentences on what the conversion did not do."""
    converted = convert(repository, rev, directories)
    form = layout.read(converted.files, converted.origins)
    if not form:
        raise InvalidInput("metadata.none", "The commit has no Salesforce metadata to deploy.")
    return form, converted.warnings
