"""The only writer of vendor data: fetch, plan, apply, and close the run whatever happens."""
