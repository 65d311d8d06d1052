"""The duty desk from shift to shift: what is left open, in whose words, and who took it over."""
