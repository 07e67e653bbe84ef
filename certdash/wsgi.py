"""What gunicorn serves: `gunicorn certdash.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "certdash.settings")
application = get_wsgi_application()
