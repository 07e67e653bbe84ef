"""What the tests stand on: their environment, a private PostgreSQL, a browser, certdash as processes."""
