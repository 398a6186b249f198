"""Settings, feature flags, the metric catalogue and the insight rules, read from files and environment."""
