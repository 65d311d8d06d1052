"""A believable city to try the cockpit on: devices that live through a day, incidents on demand, over MQTT only."""
