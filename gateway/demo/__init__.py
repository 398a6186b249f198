"""The simulated coach: a deterministic RV with people in it, for trying the service without one."""
