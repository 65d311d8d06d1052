"""Notices: who is told of an alarm, by which channel, again and again until somebody acknowledges."""
