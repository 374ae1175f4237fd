"""Run manage.py inside the installation that script/server runs here (script/manage)."""

from __future__ import annotations

import argparse
import json
import os
import sys

from script.lib.installation import ROOT, Installation, var_directory
from script.lib.progress import fail


def main() -> int:
    """Replace this process by manage.py with a role's environment; returns only if it cannot."""
    parser = argparse.ArgumentParser(prog="script/manage", description=__doc__)
    parser.add_argument("--role", default="owner", help="whose database login and keys to use")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="of manage.py")
    given = parser.parse_args()
    written = Installation(var_directory()).environments
    if not written.is_file():
        return fail("there is no installation here yet; start it with script/server first.")
    environments = json.loads(written.read_text(encoding="utf-8"))
    if given.role not in environments:
        return fail(f"there is no role {given.role}; choose one of {', '.join(environments)}.")
    os.chdir(ROOT)
    return os.execve(  # noqa: S606 - our own interpreter, no shell
        sys.executable,
        [sys.executable, "manage.py", *given.command],
        {**environments[given.role], "PATH": os.environ.get("PATH", os.defpath)},
    )


if __name__ == "__main__":
    sys.exit(main())
