"""The REST routes, one topic a file."""
