"""Put the parts together into one running simulator."""

import json
from dataclasses import dataclass
from pathlib import Path

from simulator import gateway, seed
from simulator.admin.api import Admin
from simulator.deploys import engine
from simulator.deploys.engine import Engine
from simulator.gateway import Gateway
from simulator.packages import install, push
from simulator.sandboxes import copying
from simulator.transport.certificates import CA_FILE, Authority
from simulator.transport.server import Listener
from simulator.world import World

STATE_FILE = "running.json"
PORT_SETTING = "port"


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. Port 0 means any free one, and the same again after a restart."""

    directory: Path
    port: int = 0
    admin_port: int = 0
    seed: Path | None = None
    speed: float = 1.0
    plain: bool = False
    jump: float = 0.0


class Simulator:
    """A running simulator."""

    def __init__(self, options: Options) -> None:
        self.world = World(options.directory, speed=options.speed, plain=options.plain)
        if options.jump:
            self.world.jump(options.jump)
        context = None if options.plain else Authority(options.directory).server_context()
        self._listener = self._listen(options, Gateway(self.world, gateway.ROUTES), context)
        self.world.port = self._listener.port
        self.world.store.set_setting(PORT_SETTING, str(self._listener.port))
        self._admin = Listener(options.admin_port, Admin(self.world).answer, None)
        steps: list[engine.Step] = [engine.advance, copying.advance, push.advance, install.advance]
        self._engine = Engine(self.world, steps)
        if options.seed is not None:
            seed.load(self.world, options.seed)
        copying.adopt(self.world)
        self._options = options

    def _listen(self, options: Options, answerer: Gateway, context: object) -> Listener:
        remembered = int(self.world.store.setting(PORT_SETTING, "0"))
        if options.port == 0 and remembered:
            try:
                return Listener(remembered, answerer.answer, context)  # type: ignore[arg-type]
            except OSError:
                pass  # taken by somebody else meanwhile: any free port will do
        return Listener(options.port, answerer.answer, context)  # type: ignore[arg-type]

    def start(self) -> dict[str, object]:
        """Serve; return (and write to running.json) where."""
        self._engine.start()
        self._listener.start()
        self._admin.start()
        state: dict[str, object] = {
            "port": self._listener.port,
            "admin_port": self._admin.port,
            "scheme": "http" if self.world.plain else "https",
            "ca_file": str(self._options.directory / CA_FILE),
        }
        path = self._options.directory / STATE_FILE
        scratch = path.with_suffix(".new")
        scratch.write_text(json.dumps(state), encoding="utf-8")
        scratch.replace(path)
        return state

    def stop(self) -> None:
        """Stop serving; the state stays."""
        self._listener.stop()
        self._admin.stop()
        self._engine.stop()
        (self._options.directory / STATE_FILE).unlink(missing_ok=True)
        self.world.store.close()
