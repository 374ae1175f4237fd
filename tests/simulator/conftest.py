"""The simulator's own tests speak to a real process, in the way that clients do."""

from tests.support.simulator import simulator, simulator_of_session, start_simulator

__all__ = ["simulator", "simulator_of_session", "start_simulator"]
