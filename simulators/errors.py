"""What this package refuses."""


class SimulatorError(Exception):
    """Anything the simulators refuse; the message is one sentence for a person."""


class ScenarioFault(SimulatorError):
    """A scenario file has mistakes, or names what the site does not have; the message tells all of them."""


class UnfitFault(ScenarioFault):
    """A fault cannot be laid as it is worded; ``code`` is a stable word for the sentence, ``values`` what it tells."""

    def __init__(self, word: str, sentence: str, code: str, **values: object) -> None:
        super().__init__(f"fault {word!r}: {sentence}")
        self.code = code
        self.values = {"fault": word, **values}
