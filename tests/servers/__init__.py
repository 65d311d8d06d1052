"""Real servers for tests: each on loopback, on a free port, in a folder of its own, ended by its own process id."""
