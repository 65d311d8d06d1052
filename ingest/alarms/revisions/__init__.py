"""Revisions of the rules: drafted, back-tested, approved by another person, in force from an instant on; never lost."""
