"""``python -m cockpit.part MODULE …``: a part of ``citydeck up`` that ends when ``up`` does, also when that is killed.

Its standard input is a pipe whose other end only ``up`` holds: the kernel closes that, however ``up`` ends. Unlike a
signal at the parent's death this needs no Linux, and it cannot come too early to be heard.
"""

import os
import runpy
import signal
import sys
import threading
import time

_STOP_S = 15.0


def main() -> None:
    """Run the module that is named first, with the other arguments as its own."""
    module = sys.argv[1]
    threading.Thread(target=_end_with_up, name="end-with-up", daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_with_up() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    print("citydeck up is gone; this part ends, too", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_STOP_S)
    os._exit(1)


if __name__ == "__main__":
    main()
