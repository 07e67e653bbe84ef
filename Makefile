# The short names of what README.md shows in full: every line here only calls manage.py, pytest or a checker.

PYTHON = .venv/bin/python
RUN = .venv/installed-run
PORT = 8000
DEV = .venv/installed-dev
INSTALL = $(PYTHON) -m pip install --disable-pip-version-check --quiet
ON_ALL_CORES = --numprocesses auto --dist worksteal
LOCK = .venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links

# The checks read the settings as well: with nothing of the caller's environment, and a data directory apart.
ALONE = env -i PATH="$$PATH" HOME="$$HOME" CERTDASH_DATA_DIR=var/check
IN_PRODUCTION = $(ALONE) CERTDASH_PUBLIC_URL=https://certdash.example.com \
	CERTDASH_SECRET_KEY=known-to-everybody-and-so-good-for-this-check-only-2026 \
	CERTDASH_ERASURE_KEY=known-to-everybody-as-well CERTDASH_CREDENTIAL_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

.PHONY: demo test prove bench screenshots check lock programs
.DELETE_ON_ERROR:

demo: $(RUN)
	@CERTDASH_DATA_DIR=var/demo CERTDASH_ALLOW_PRIVATE_UPSTREAMS=1 $(PYTHON) manage.py demo --port $(PORT)

test: check programs
	$(PYTHON) -m pytest --require-all $(ON_ALL_CORES)
	$(PYTHON) -m pytest --require-all $(ON_ALL_CORES) --database postgresql

# What takes long: the tests that have a long form, in that form.
prove: programs
	$(PYTHON) -m pytest --require-all --prove
	$(PYTHON) -m pytest --require-all --prove --database postgresql
	$(PYTHON) -m tests.bench

bench: programs
	$(PYTHON) -m tests.bench

# The pictures of README.md, from the demo's data.
screenshots: programs
	$(PYTHON) -m tests.screenshots

check: $(DEV)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	$(ALONE) .venv/bin/mypy
	$(ALONE) .venv/bin/djlint --quiet --check --lint templates
	$(ALONE) $(PYTHON) manage.py makemigrations --check --dry-run
	$(IN_PRODUCTION) $(PYTHON) manage.py check --deploy --fail-level WARNING

lock: $(DEV)
	$(LOCK) pyproject.toml -o requirements.txt >/dev/null
	$(LOCK) --group dev -c requirements.txt -o requirements-dev.txt >/dev/null

$(PYTHON):
	@python=; \
	for each in python3.13 python3.12 python3.11 python3; do \
		if $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$each; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "certdash needs Python 3.11 or newer, and python3 is missing or older: please install one." >&2; exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$python cannot make a virtual environment. On Debian: apt-get install python3-venv" >&2; exit 1; \
	fi; \
	$$python -m venv --clear .venv

$(RUN): requirements.txt | $(PYTHON)
	$(INSTALL) -r requirements.txt
	@touch $@

$(DEV): requirements.txt requirements-dev.txt | $(PYTHON)
	$(INSTALL) -r requirements.txt -r requirements-dev.txt
	@touch $(RUN) $@

# The browser and the database server of the tests: installed where that is possible, and asked for elsewhere.
programs: $(DEV)
	@missing=$$($(PYTHON) -m tests.support.programs); \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then root=; else root=sudo; fi; \
	if command -v apt-get >/dev/null; then \
		$$root apt-get update && \
		$$root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $$missing && exit 0; \
	fi; \
	echo "The tests need programs that could not be installed: $$missing. Please install them (on macOS: Chromium" >&2; \
	echo "or Google Chrome; brew install postgresql), or run .venv/bin/pytest, which skips what needs them." >&2; \
	exit 1
