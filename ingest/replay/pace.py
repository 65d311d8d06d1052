"""The pace of a replay: how fast recorded time passes, with pauses and leaps."""

import math
import threading
import time


class Pace:
    """Recorded time against real time; ``speed`` 0 stands for as fast as it goes. May be steered by another thread."""

    def __init__(self, at_ms: int, speed: float) -> None:
        self.speed = speed
        self._changed = threading.Condition()
        self._at_ms = float(at_ms)
        self._since_s = time.monotonic()
        self._paused = False
        self._leap: int | None = None
        self.stopped = False

    @property
    def paused(self) -> bool:
        """Tell whether time stands still."""
        return self._paused

    def now_ms(self) -> float:
        """Return the recorded instant that is now; at full speed it is that of the last message."""
        with self._changed:
            return self._now_ms()

    def due_ms(self) -> float:
        """Return up to which recorded instant messages may be played at once; at full speed there is no such end."""
        with self._changed:
            return self._now_ms() if self.speed or self._paused else math.inf

    def pause(self, paused: bool) -> None:
        """Let time stand still, or go on."""
        with self._changed:
            self._mark()
            self._paused = paused
            self._changed.notify_all()

    def set_speed(self, speed: float) -> None:
        """Change the speed to 0.1 to 1000 times real time, or to 0, as fast as it goes."""
        with self._changed:
            self._mark()
            self.speed = speed
            self._changed.notify_all()

    def faster(self, factor: float) -> None:
        """Change the speed; it stays within 0.1 and 1000."""
        with self._changed:
            self._mark()
            if self.speed:
                self.speed = min(1000.0, max(0.1, self.speed * factor))
            self._changed.notify_all()

    def leap(self, by_ms: int) -> None:
        """Go on so much earlier or later."""
        with self._changed:
            self._leap = round(self._now_ms()) + by_ms
            self._changed.notify_all()

    def leap_to(self, at_ms: int) -> None:
        """Go on at another recorded instant."""
        with self._changed:
            self._leap = at_ms
            self._changed.notify_all()

    def stop(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self.stopped = True
            self._changed.notify_all()

    def begin(self, at_ms: int) -> None:
        """Stand at a recorded instant; a leap that was asked for is done with."""
        with self._changed:
            self._at_ms, self._since_s, self._leap = float(at_ms), time.monotonic(), None

    def wait(self, until_ms: int) -> int | None:
        """Wait until a recorded instant; return where to leap to when that is asked meanwhile, else None."""
        with self._changed:
            while not self.stopped and self._leap is None:
                left_ms = until_ms - self._now_ms()
                # What is due by now is played also while time stands still: a leap may have passed over it.
                if left_ms <= 0:
                    return None
                if self._paused:
                    self._changed.wait()
                elif not self.speed:
                    self._at_ms = float(until_ms)
                    return None
                else:
                    self._changed.wait(left_ms / 1000 / self.speed)
            return self._leap

    def _now_ms(self) -> float:
        if self._paused or not self.speed:
            return self._at_ms
        return self._at_ms + (time.monotonic() - self._since_s) * 1000 * self.speed

    def _mark(self) -> None:
        self._at_ms, self._since_s = self._now_ms(), time.monotonic()
