"""Exercises at the duty desk (docs/drills.md): their record, and the report on what was done in them."""
