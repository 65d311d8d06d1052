"""Recordings: the journal of any span as one file, out and in again."""
