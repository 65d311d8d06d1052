"""What an InfluxStore posts."""

import pytest

from ingest.store.influx import InfluxStore


def counted_posts(store: InfluxStore, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many lines each request to write has, from now on."""
    sizes: list[int] = []
    post = store._post

    def counted(bucket: str, lines: list[str]) -> None:
        sizes.append(len(lines))
        post(bucket, lines)

    monkeypatch.setattr(store, "_post", counted)
    return sizes
