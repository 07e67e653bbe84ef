"""How fast pages answer a million certificates, beside Datasette and the Django admin over the same SQLite file."""
