"""The text of a site file as one document, completed by the file it builds on (``base``)."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard

from devices.errors import Fault, SiteFault, shown

DEMO_SITE = Path(__file__).parent / "demo_city" / "site.toml"
_PATHS = (("site", "kinds"), ("site", "basemap"), ("site", "routes"))


def read_document(source: Path) -> dict[str, Any]:
    """Read a site file; with ``base = "demo"`` or another file's path it says only what differs from that one.

    Tables are merged key by key, lists of tables are appended to the base's, other values replace the base's. Paths
    are relative to the file they stand in.

    Raises:
        SiteFault: a file cannot be read, is not TOML, or builds on itself.
    """
    return _read(source, ())


def site_files(source: Path) -> list[Path]:
    """Return the files a site file is made of, itself first; those of the demo city belong to every installation.

    Raises:
        SiteFault: a file cannot be read, is not TOML, or builds on itself.
    """
    return [path for path in dict.fromkeys(_files(source, ())) if DEMO_SITE.parent not in path.parents]


def _files(source: Path, below: tuple[Path, ...]) -> Iterator[Path]:
    yield source
    document = _parsed(source)
    path = _base(document.get("base"), source, below)
    named = [document.get("devices_file")]
    for table, key in _PATHS:
        found = document.get(table)
        named.append(found.get(key) if isinstance(found, dict) else None)
    for name in named:
        place = (source.parent / name).resolve() if isinstance(name, str) else None
        if place is not None and place.is_dir():
            yield from sorted(place.glob("*.py"))
        elif place is not None:
            yield place
    if path is not None:
        yield from _files(path, (*below, source))


def _read(source: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    document = _parsed(source)
    path = _base(document.pop("base", None), source, below)
    _anchor(document, source.parent)
    return document if path is None else _merged(_read(path, (*below, source)), document)


def _parsed(source: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise SiteFault(str(source), [Fault("file", f"cannot be read: {error.strerror}")]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SiteFault(str(source), [Fault("file", f"is not TOML: {error}")]) from error


def _base(base: object, source: Path, below: tuple[Path, ...]) -> Path | None:
    if base is None:
        return None
    if not isinstance(base, str) or not base:
        raise SiteFault(
            source.name, [Fault("base", f'expected "demo" or the path of a site file, found {shown(base)}')]
        )
    path = DEMO_SITE if base == "demo" else (source.parent / base).resolve()
    if path == source or path in below:
        raise SiteFault(source.name, [Fault("base", f"{base!r} builds on this file itself")])
    return path


def _anchor(document: dict[str, Any], folder: Path) -> None:
    if isinstance(document.get("devices_file"), str):
        document["devices_file"] = str(folder / document["devices_file"])
    for table, key in _PATHS:
        found = document.get(table)
        if isinstance(found, dict) and isinstance(found.get(key), str):
            found[key] = str(folder / found[key])


def _merged(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        before = base.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            merged[key] = _merged(before, value)
        elif _is_tables(before) and _is_tables(value):
            merged[key] = [*before, *value]
        else:
            merged[key] = value
    return merged


def _is_tables(found: object) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(found, list) and all(isinstance(entry, dict) for entry in found)
