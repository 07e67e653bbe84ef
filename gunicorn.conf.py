"""Read by gunicorn on its own: `gunicorn certdash.wsgi`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # this file is read before gunicorn knows where it is

from certdash import environment as env
from certdash import logs

threads = 8  # a long download blocks nobody
control_socket_disable = True  # it would be written outside the data directory
logconfig_dict = logs.configuration(
    env.one_of("CERTDASH_LOG_FORMAT", logs.FORMATS), env.one_of("CERTDASH_LOG_LEVEL", logs.LEVELS)
)
