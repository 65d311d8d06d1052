"""What this package refuses."""


class SimulatorError(Exception):
    """Anything the simulators refuse; the message is one sentence for a person."""


class ScenarioFault(SimulatorError):
    """A scenario file has mistakes, or names what the site does not have; the message tells all of them."""
