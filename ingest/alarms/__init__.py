"""Alarms: from readings to conditions, from conditions to occurrences, and what officers do about them."""
