"""Command line: python -m simulator --dir DIR [--port N] [--admin-port N] [--seed FILE] …"""

import argparse
import json
import logging
import signal
import sys
import threading
from pathlib import Path

from simulator.app import Options, Simulator
from simulator.identity.orgs import Unusable


def _options(arguments: list[str]) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m simulator", description=sys.modules["simulator"].__doc__
    )
    parser.add_argument("--dir", type=Path, required=True, help="where state and ca.pem are kept")
    parser.add_argument("--port", type=int, default=0, help="port of the orgs (0: any free one)")
    parser.add_argument("--admin-port", type=int, default=0, help="port of the operator")
    parser.add_argument("--seed", type=Path, help="JSON file with orgs to make")
    parser.add_argument("--speed", type=float, default=1.0, help="factor for durations")
    parser.add_argument("--jump", type=float, default=0.0, help="move the clock by seconds first")
    parser.add_argument("--plain", action="store_true", help="http instead of https")
    given = parser.parse_args(arguments)
    if given.speed <= 0:
        parser.error("--speed must be above zero")
    return Options(
        given.dir,
        given.port,
        given.admin_port,
        given.seed,
        speed=given.speed,
        plain=given.plain,
        jump=given.jump,
    )


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; prints one JSON line with the addresses when ready."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    options = _options(sys.argv[1:] if arguments is None else arguments)
    try:
        running = Simulator(options)
    except Unusable as problem:
        sys.stderr.write(f"The simulator cannot start: {problem}\n")
        return 2
    except OSError as problem:
        sys.stderr.write(f"The simulator cannot listen or write its state: {problem}\n")
        return 2
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    sys.stdout.write(json.dumps(running.start()) + "\n")
    sys.stdout.flush()
    stopping.wait()
    running.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
