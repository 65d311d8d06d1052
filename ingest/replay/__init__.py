"""Replay: a recording once more, to any broker or into a sandbox of its own."""
