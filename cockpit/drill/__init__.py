"""Exercises at the duty desk: runs of the bench's kind in which people act (docs/drills.md)."""
