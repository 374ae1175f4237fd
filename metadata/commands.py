"""The engine on the command line, for teams' own CI and for comparison; needs no database.

Each command imports what it needs when it runs: a delta is done before all of it would be loaded.
Exit codes: 0 done, 1 a merge with conflicts, 2 refused input (the sentence stands on standard
error), 3 Git or this machine failed.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from core.errors import DomainError, ExternalFault, InvalidInput
from metadata import objects
from metadata.later import Later
from metadata.repository import Repository
from metadata.spawned import directory

if TYPE_CHECKING:
    from metadata.convert.assembly import Pack
    from metadata.delta import Delta
    from metadata.manifest import Manifest
    from metadata.normal import Files

ABOUT = "Packages, deltas and merges of Salesforce metadata from a Git repository."
CODES = (
    "Exit codes: 0 done, 1 a merge with conflicts, 2 refused input (the sentence on standard error "
    "says why), 3 Git or this machine failed."
)
DEFAULT_VERSION = "64.0"
_VERSION = re.compile(r"([1-9]\d{1,2})(\.0)?", re.ASCII)
PLAIN = "destructiveChanges"
DONE, CONFLICTS, REFUSED, FAILED = 0, 1, 2, 3


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except ExternalFault as fault:
        _warn([fault.message])
        return FAILED
    except DomainError as fault:
        _warn([fault.message])
        return REFUSED
    except OSError as fault:
        _warn([f"{fault.filename}: {fault.strerror}." if fault.filename else str(fault)])
        return FAILED
    return code


class _Help(argparse.HelpFormatter):
    """As wide as the code: looking for the terminal's width costs more than a small delta."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=100)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m metadata", description=ABOUT, epilog=CODES, formatter_class=_Help
    )
    commands = parser.add_subparsers(required=True, metavar="convert|delta|merge")
    one = commands.add_parser("convert", help="a commit as a deployable zip", formatter_class=_Help)
    _common(one)
    one.add_argument("--commit", required=True, help="branch, tag or commit")
    one.add_argument("--output", required=True, help="the zip to write")
    one.add_argument("--contents", help="a JSON file for the digest of each component, for --base")
    one.set_defaults(run=_convert)
    two = commands.add_parser(
        "delta", help="what changed between two commits", formatter_class=_Help
    )
    _common(two)
    base = two.add_mutually_exclusive_group(required=True)
    base.add_argument("--from", dest="old", help="the older commit")
    base.add_argument("--base", help="what the target holds: a package zip, or --contents of one")
    two.add_argument("--to", required=True, dest="new", help="the newer commit")
    two.add_argument("--output", required=True, help="the directory to write to")
    when = two.add_mutually_exclusive_group()
    when.add_argument("--pre", action="store_true", help="name them to be deleted before, too")
    when.add_argument("--post", action="store_true", help="name them to be deleted after, too")
    when.add_argument(
        "--pre-type", action="append", default=[], metavar="TYPE", type=_type,
        help="this type is deleted before the changes and all others after them; repeatable",
    )  # fmt: skip
    two.add_argument("--no-zip", action="store_true", help="only the manifests")
    two.set_defaults(run=_delta)
    three = commands.add_parser(
        "merge", help="three-way merge of one file (Git merge driver)", formatter_class=_Help
    )
    for name in ("base", "ours", "theirs"):
        three.add_argument(name)
    three.add_argument("--path", default="", help="the file's name in messages (%%P)")
    three.add_argument("--output", help="where to write; by default over OURS")
    three.set_defaults(run=_merge)
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repo", required=True, help="a Git repository, bare or not")
    parser.add_argument(
        "--package-dir", action="append", default=[], help="only this package directory; repeatable"
    )
    parser.add_argument(
        "--api-version", type=_version, help="instead of the project's own, like 64.0"
    )


def _version(text: str) -> str:
    found = _VERSION.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"“{text}” is no API version such as 64.0")
    return f"{found[1]}.0"


def _type(text: str) -> str:
    from metadata.types import standard  # the registry, which few deltas need before git has begun

    known = standard()
    if text not in known.by_name and text not in known.children:
        raise argparse.ArgumentTypeError(f"“{text}” is no metadata type such as CustomField")
    return text


def _repository(path: str) -> Repository:
    found = directory(path)
    if found == path and not os.path.exists(os.path.join(path, "HEAD")):
        raise InvalidInput(
            "git.no_repository",
            f"{path} is no Git repository. Name its top directory, or a bare repository.",
        )
    return Repository(found)


def _convert(options: argparse.Namespace) -> int:
    repository = _repository(options.repo)
    with repository.session():
        [sha] = repository.revisions(options.commit)
        begun = Later(lambda: objects.tree(repository.run, sha))

        from metadata import contained, held, manifest, package, zips
        from metadata.convert.commit import convert

        packing = zips.Packing()
        converted = convert(repository, sha, options.package_dir, packing.add, begun)
    for path, content in converted.files.items():
        packing.add(path, content)
    _warn(converted.warnings)
    keys = contained.of_files(converted.files, converted.origins, converted.made)
    members = manifest.of_files(converted.files, keys, converted.registry)
    version = options.api_version or converted.layout.api_version or DEFAULT_VERSION
    files = {**converted.files, "package.xml": manifest.write(members, version)}
    _write(options.output, package.zipped(files, packing))
    if options.contents:
        from metadata import layout

        form = layout.read(converted.files, converted.origins)
        _write(options.contents, held.write(form.component_digests()))
    return DONE


def _delta(options: argparse.Namespace) -> int:
    found, files = _from_base(options) if options.base else _from_commit(options)

    from metadata import manifest

    _warn(found.warnings)
    version = options.api_version or found.api_version or DEFAULT_VERSION
    changes = manifest.write(found.manifest, version)
    _write(os.path.join(options.output, "package", "package.xml"), changes)
    folder = os.path.join(options.output, "destructiveChanges")
    zipped = os.path.join(options.output, "changes.zip")
    _forget(zipped, *(os.path.join(folder, f"{PLAIN}{when}.xml") for when in ("Pre", "Post")))
    for name, members in _deletions(options, found.destructive).items():
        _write(os.path.join(folder, f"{name}.xml"), manifest.write(members, version))
    _write(os.path.join(folder, "package.xml"), manifest.write({}, version))
    if not options.no_zip:
        from metadata import package, zips

        packing = zips.Packing()
        content = package.zipped({**files(packing.add), "package.xml": changes}, packing)
        _write(zipped, content)
    return DONE


def _from_commit(options: argparse.Namespace) -> tuple[Delta, Callable[[Pack], Files]]:
    """What changed between two commits, and how to read it; git begins while modules load."""
    repository = _repository(options.repo)
    with repository.session():
        old, new = repository.revisions(options.old, options.new)
        begun = objects.comparison(repository.run, old, new, whole=not options.no_zip)

        from metadata import delta, sides

        both = sides.opened(repository, begun, options.package_dir)
        found = delta.of_pair(both)

    def files(pack: Pack) -> Files:
        from metadata import inner

        return inner.files_of(both.after, found.changed, pack)

    return found, files


def _from_base(options: argparse.Namespace) -> tuple[Delta, Callable[[Pack], Files]]:
    """What a commit has other than a target holds."""
    from metadata import delta, held, layout, package
    from metadata.convert.commit import convert

    if options.package_dir:
        raise InvalidInput(
            "metadata.base_is_whole",
            "--base and --package-dir exclude each other: everything that the target holds of the "
            "other directories would be named for deletion.",
        )
    repository = _repository(options.repo)
    [sha] = repository.revisions(options.new)
    converted = convert(repository, sha)
    _warn(converted.warnings)
    form = layout.read(converted.files, converted.origins)
    known = held.read(_read(options.base), options.base)
    found = delta.against(known, form, converted.layout.api_version)
    return found, lambda _pack: package.package_files(form.only(found.changed))


def _deletions(options: argparse.Namespace, members: Manifest) -> dict[str, Manifest]:
    """Which deletions each file names: the plain one all of them, the pair by when they run."""
    found = {PLAIN: members}
    early = set(members) if options.pre else {*options.pre_type}
    if options.pre or options.pre_type:
        found[f"{PLAIN}Pre"] = {name: members[name] for name in members if name in early}
    if options.post or options.pre_type:
        late = {name: members[name] for name in members if name not in early}
        found[f"{PLAIN}Post"] = late
    return found


def _merge(options: argparse.Namespace) -> int:
    from metadata.merge.files import merge

    sides = [_read(path) for path in (options.base, options.ours, options.theirs)]
    name = options.path or os.path.basename(options.ours)
    merged = merge(sides[0] or None, sides[1], sides[2], name)
    _write(options.output or options.ours, merged.content)
    _warn([f"{name}: both sides changed {conflict.path}" for conflict in merged.conflicts])
    return DONE if merged.clean else CONFLICTS


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _write(path: str, content: bytes) -> None:
    """Write a file as a whole or not at all; over what is no plain file it is written at once."""
    part = path if os.path.exists(path) and not os.path.isfile(path) else f"{path}.part"
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(part, "wb") as file:
            file.write(content)
        if part != path:
            os.replace(part, os.path.realpath(path) if path else path)
    except OSError as fault:
        if part != path:
            _forget(part)
        raise OSError(fault.errno, f"could not be written: {fault.strerror}", path) from None


def _forget(*paths: str) -> None:
    """Remove what an earlier run may have left and this one does not write."""
    for path in paths:
        with suppress(OSError):
            os.unlink(path)


def _warn(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        print(sentence, file=sys.stderr)  # noqa: T201 - a command talks to people
