"""Alarms recounted: what the journal and the command log must have made, reckoned anew and held against the record."""
