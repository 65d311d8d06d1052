"""One screen for a city: REST, live views and pages; starts everything with `citydeck up`."""
