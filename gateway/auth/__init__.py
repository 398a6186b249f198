"""Who may do what: credentials, scopes, and the places requests may come from."""
