"""Make the key files of a new installation (script/entry keys DIR), before settings exist."""

from __future__ import annotations

import sys
from pathlib import Path

from core import keyring
from core.errors import DomainError


def main() -> int:
    """Write public.json, deploy.json and build.json; refuses to replace existing ones."""
    try:
        paths = keyring.write(Path(sys.argv[1]))
    except DomainError as error:
        print(error.message, file=sys.stderr)
        return 1
    print("\n".join(str(path) for path in paths))
    return 0


if __name__ == "__main__":
    sys.exit(main())
