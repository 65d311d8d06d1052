"""Of whom a recording speaks: whose silence in it means something, and by which register it was made.

A recording's header says so; for a journal that was filled from one it stands in a file of its own beside the hours.
"""

from pathlib import Path

import msgspec

from devices.errors import RecordingError
from devices.recording import Header, digests, versions
from devices.site import Site
from ingest.decoding import NEW_PER_HOUR
from ingest.places import MAIN

_FILE = "recording.json"
_WORDS = frozenset({"kind", "district"})


class Scope(msgspec.Struct, frozen=True):
    """What a recording was limited to.

    ``only`` names kinds and districts; with ``heard_only`` nobody knows of devices that say nothing in it. ``kinds``
    and ``digests`` tell the tables and the register by which it was made.
    """

    shard: str = MAIN
    only: dict[str, list[str]] = {}
    heard_only: bool = False
    pseudonymised: bool = False
    kinds: dict[str, str] = {}
    digests: dict[str, str] = {}

    def awaited(self, site: Site) -> frozenset[str] | None:
        """Return the devices of a site that would have been in it, had they spoken; None: all of them."""
        if self.heard_only or self.pseudonymised or self.only.keys() - _WORDS:
            # Whoever is heard is awaited from then on.
            return frozenset()
        if not self.only and self.shard not in site.shards:
            return None
        part = site.part(self.shard) if self.shard in site.shards else site
        kinds, districts = (self.only.get(word) for word in ("kind", "district"))
        return frozenset(
            device.id
            for device in part.devices.values()
            if (not kinds or device.kind in kinds) and (not districts or device.district in districts)
        )

    @property
    def strangers(self) -> int | None:
        """Return how many unregistered devices an hour may come in; None where all may, for none has its own name."""
        return None if self.heard_only or self.pseudonymised else NEW_PER_HOUR

    def warnings(self, site: Site) -> tuple[str, ...]:
        """Return how a site's tables and register are not as they were when the recording was made."""
        tables = versions(site.catalog) if self.kinds else {}
        register = digests(site) if self.digests else {}
        return (
            *(f"the table of {kind} has changed since the recording was made" for kind in _others(self.kinds, tables)),
            *(f"the {what} of this site are not those it was made with" for what in _others(self.digests, register)),
        )

    def note(self, folder: Path) -> None:
        """Write it beside the hours of a journal."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _FILE).write_bytes(msgspec.json.encode(self) + b"\n")


WHOLE = Scope()


def _others(told: dict[str, str], here: dict[str, str]) -> list[str]:
    return [name for name, digest in sorted(told.items()) if here.get(name, digest) != digest]


def of_header(header: Header) -> Scope:
    """Return what a recording's header says."""
    return Scope(header.shard, header.only, header.heard_only, header.pseudonymised, header.kinds, header.digests)


def of_journal(folder: Path) -> Scope:
    """Return what stands beside the hours of a journal, or that it is whatever its collector hears.

    Raises:
        RecordingError: it cannot be read.
    """
    try:
        return msgspec.json.decode((folder / _FILE).read_bytes(), type=Scope)
    except FileNotFoundError:
        # As ingest.places lays out the journals of a divided site.
        return Scope(shard=folder.parent.name if folder.parent.parent.name == "shards" else MAIN)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordingError(f"{folder / _FILE} cannot be read: {error}") from error
