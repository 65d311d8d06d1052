"""What a process sets for itself; in one of its own, for it holds until the end."""

import subprocess
import sys

_ASKED = """
import gc, sys
from ingest import runtime
loaded = len(gc.get_objects())
runtime.settle()
runtime.take_turns()
print(loaded, gc.get_freeze_count(), len(gc.get_objects()), *gc.get_threshold(), sys.getswitchinterval())
"""


def test_what_was_loaded_rests_and_threads_take_short_turns() -> None:
    found = subprocess.run([sys.executable, "-c", _ASKED], capture_output=True, text=True, timeout=60, check=True)
    loaded, resting, walked, young, *_, turn_s = map(float, found.stdout.split())
    # Some were nobody's, and are gone.
    assert resting > loaded / 2
    assert walked < loaded / 10
    assert young > 10_000
    assert turn_s == 0.001
