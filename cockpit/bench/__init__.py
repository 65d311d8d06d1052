"""The engineer's bench: a recording or a scenario played through the rules in a city apart, and rules tried on it.

A run is a process of its own (:mod:`cockpit.bench.city`) with a sandbox in a folder of its own. It knows no broker, no
users and no channel for notices; what it serves can be read only, and only through the cockpit (docs/bench.md).
"""
