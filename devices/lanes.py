"""Who speaks on one channel of one kind: each device has a place there, by which columns know it."""

import threading

# Messages are read by more than one thread.
_placing = threading.Lock()


class Lanes:
    """The devices that were heard on a channel, in the order of their first message; they only become more.

    A lane is a channel of a device: the messages of one are in order.

    Attributes:
        channel: the last part of their topics.
        devices: the device at each place.
    """

    __slots__ = ("_places", "channel", "devices")

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.devices: list[str] = []
        self._places: dict[str, int] = {}

    def __len__(self) -> int:
        """Return how many places there are."""
        return len(self.devices)

    def place(self, device: str) -> int:
        """Return the place of a device; it gets one if it has none."""
        with _placing:
            place = self._places.get(device)
            if place is None:
                place = len(self.devices)
                self.devices.append(device)
                self._places[device] = place
            return place

    def known(self, device: str) -> int | None:
        """Return the place of a device, None where it has none yet."""
        return self._places.get(device)

    def lane(self, place: int) -> str:
        """Return what the keys of a device's messages begin with (see :func:`devices.points.payload_identity`)."""
        return f"{self.devices[place]}|{self.channel}|"
