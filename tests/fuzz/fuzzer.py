"""``make fuzz``: a coverage-guided fuzzer over every decoder; what breaks one stays as a file ``crash-…``.

``python -m tests.fuzz.fuzzer FOLDER -max_total_time=300``; ``… FOLDER/crash-…`` tries one finding again.
"""

import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped, unused-ignore]

with atheris.instrument_imports(include=["devices", "ingest.decoding", "ingest.repeats", "ingest.alarms"]):
    from tests.fuzz.corpus import SEEDS, packed, unpacked
    from tests.fuzz.fates import Way, judged

# A new engine costs as much as a hundred messages, so most of them share one.
_SHARED = 200


class Trial:
    """Tries inputs, one after the other."""

    def __init__(self) -> None:
        self._tried = 0
        self._way = Way()

    def __call__(self, found: bytes) -> None:
        """Try one input; the first of some hundred in every way there is."""
        if self._tried % _SHARED == 0:
            judged([unpacked(found)])
            self._way = Way()
        self._tried += 1
        self._way.go([unpacked(found)])


def main() -> None:
    """Fuzz until the time given is over or something breaks."""
    folder = Path(sys.argv[1])
    if not folder.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for number, message in enumerate(SEEDS):
            (folder / f"seed-{number:03d}").write_bytes(packed(message))
    kept = f"-artifact_prefix={folder.parent if folder.is_file() else folder}/"
    atheris.Setup([*sys.argv, kept, "-max_len=4096", "-len_control=0"], Trial())
    atheris.Fuzz()


if __name__ == "__main__":
    main()
