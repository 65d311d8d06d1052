"""Numbers as devices send them: rounded to what they can resolve, and whole ones without a point."""

from decimal import Decimal

from devices.catalog import Catalog
from devices.kind import Value
from simulators.report import Data

Sent = dict[str, Value | int | bool]


class Rounding:
    """Knows the resolution of every field of every kind."""

    def __init__(self, catalog: Catalog) -> None:
        """Read the tables once."""
        self._steps: dict[str, dict[str, tuple[float, int]]] = {
            kind.key: {
                field.key: (field.resolution, _decimals(field.resolution))
                for m in kind.measurements
                for field in m.fields
                if field.resolution is not None
            }
            for kind in catalog.kinds.values()
        }

    def sent(self, kind: str, data: Data) -> Sent:
        """Return the fields as they go over the wire: a float that happens to be whole arrives as an integer."""
        steps = self._steps.get(kind, {})
        sent: Sent = {}
        for key, value in data.items():
            if isinstance(value, float):
                step, decimals = steps.get(key, (0.001, 3))
                value = round(value, decimals) if decimals else round(value / step) * step
                sent[key] = int(value) if value == int(value) else value
            else:
                sent[key] = value
        return sent


def _decimals(resolution: float) -> int:
    exponent = Decimal(str(resolution)).normalize().as_tuple()
    digits, power = exponent.digits, exponent.exponent
    # Half a kilogram is no decimal place: such steps are counted, not cut.
    return -int(power) if digits == (1,) and isinstance(power, int) and power < 0 else 0
