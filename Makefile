# make run: everything in the foreground. make test: everything checked. Needs make and Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
export UV_PYTHON_DOWNLOADS = never
# A company that inspects TLS puts its authority into the system store; uv looks there only when told to.
export UV_SYSTEM_CERTS = true

# As in production, so that the deployment checks speak of production. Nothing connects with these.
PRODUCTION = SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
	DATABASE_URL=postgresql://flowize@localhost/flowize BROKER_URL=redis://localhost \
	PUBLIC_URL=https://flowize.example REQUIRE_HTTPS=true

# Models are compared with the migrations, not with a database.
NO_DATABASE = DATABASE_URL=django.db.backends.dummy://none/none
LOCK = --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

.PHONY: run test faults lint lock install

run: $(READY)
	@$(BIN)/python manage.py up

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup

# The long form of what `make test` has in a short one; half an hour, figures at the end. See docs/faults.md.
faults: $(READY)
	FAULTS=long $(BIN)/python -m pytest tests/faults tests/records/test_machine.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NO_DATABASE) $(BIN)/python manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

lock: $(READY)
	$(BIN)/uv pip compile $(LOCK) requirements.in -o requirements.txt
	$(BIN)/uv pip compile $(LOCK) requirements-dev.in -o requirements-dev.txt

install: $(READY)

$(READY): requirements-dev.txt
	@PYTHON="$(PYTHON)" sh .ci/install $(VENV) $<
	@touch $@
