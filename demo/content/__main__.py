"""Make what the demo needs before any server runs: `python -m demo.content --dir var/demo`.

Writes `repositories/<team>.git`, `seed.json` and the two keys. What is there already is kept.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from demo.content import repositories, seed

REPOSITORIES = "repositories"


def main() -> None:
    """Read the directory from the command line and fill it."""
    parser = argparse.ArgumentParser(prog="python -m demo.content", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="where the demo's files go")
    directory: Path = parser.parse_args().dir
    for team, path in repositories.build(directory / REPOSITORIES).items():
        sys.stdout.write(f"{team}: {path}\n")
    sys.stdout.write(f"seed: {seed.write(directory)}\n")


if __name__ == "__main__":
    main()
