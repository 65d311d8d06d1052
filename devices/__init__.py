"""What a city's devices are and what their messages mean; knows no network, clock or storage.

Exceptions::

    DeviceError
    ├── KindFault      a kind file contradicts itself
    ├── SiteFault      a site file has mistakes; carries all of them
    └── Undecodable    a message that cannot be read; its reason goes to quarantine
"""

from devices.errors import DeviceError, KindFault, SiteFault, Undecodable

__all__ = ["DeviceError", "KindFault", "SiteFault", "Undecodable"]
