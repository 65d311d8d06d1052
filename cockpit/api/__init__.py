"""The REST API and the websocket, one module per subject; `/docs` shows it."""
