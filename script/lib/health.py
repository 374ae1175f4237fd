"""Ask the web process of this machine whether it is well (script/entry health)."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request


def is_well(port: int, host_names: str) -> bool:
    """Tell whether /healthz answers 200; asked under the first name that the site answers to."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/healthz",
        headers={"Host": host_names.split(",")[0].strip() or "localhost"},
    )
    try:
        with urllib.request.urlopen(request, timeout=4) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def main() -> int:
    """Return 0 when the process is well, as a container's health check wants it."""
    port = int(os.environ.get("GATEHOUSE_BIND", ":8000").rpartition(":")[2])
    return 0 if is_well(port, os.environ.get("GATEHOUSE_HOST", "")) else 1


if __name__ == "__main__":
    sys.exit(main())
