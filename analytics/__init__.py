"""Pure functions: numpy in, small dataclasses out. No I/O, no clock, no Trio."""
