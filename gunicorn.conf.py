"""Read by gunicorn on its own: `gunicorn certdash.wsgi`."""

threads = 8  # a long download blocks nobody
control_socket_disable = True  # it would be written outside the data directory
