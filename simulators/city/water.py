"""Canal, lake and parks."""

import math
from dataclasses import dataclass

from simulators.city.names import PARKS
from simulators.city.plane import Line, blob, inside, ribbon, warped


@dataclass(frozen=True)
class Nature:
    """The canal's middle line, and closed rings of water and of green."""

    canal: Line
    lake: Line
    parks: tuple[Line, ...]

    @property
    def canal_ring(self) -> Line:
        """Return the canal's water."""
        return ribbon(self.canal, 75)

    @property
    def banks_ring(self) -> Line:
        """Return the green strip the canal runs through."""
        return ribbon(self.canal, 230)

    def blocks(self, line: Line) -> bool:
        """Tell whether a road along this line would lead through the lake or a park."""
        return any(inside(point, ring) for ring in (self.lake, *self.parks) for point in line)


def make_nature(outline: Line) -> Nature:
    """Draw the canal from north to south through the (unbent) outline, and the lake and parks beside it."""
    canal = []
    for step in range(-100, 101):
        y = -step * 50.0
        point = 780 * math.sin(y / 1500 + 0.5) + 210 * math.sin(y / 610 + 1.1) - 250, y
        if inside(point, outline):
            canal.append(warped(point))
    lake = blob(warped((3350, 2250)), 560, 380, 0.10, 0.7)
    middles = ((-3400, 1000), (2500, -1900), (-3000, -2900))
    sizes = ((330, 260), (300, 380), (420, 250))
    parks = tuple(
        blob(warped(middle), *size, 0.08, 1.9 * n) for n, (middle, size) in enumerate(zip(middles, sizes, strict=True))
    )
    assert len(parks) == len(PARKS)
    return Nature(canal, lake, parks)
