"""The way in and out: REST, WebSocket, command line, and the composition root."""
