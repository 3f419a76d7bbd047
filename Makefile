# Everything that people and CI run. Needs make, git and CPython 3.11 to 3.13 with its venv module; no compiler.
# PYTHON chooses the interpreter (make test PYTHON=python3.12), ARGS is handed on (make serve ARGS='--port 8081'), JOBS says
# how many tests run at a time.

PYTHON ?= python3
ARGS ?=
BUDGET ?= 300
# Tests often wait for a process: one more at a time than there are cores.
JOBS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))

VENV := .venv
RUN := $(VENV)/bin/python -m
TESTS := pytest --numprocesses $(JOBS) --dist worksteal
# What starts processes and browsers, what holds the project to its rules, and noise: all but the units.
NO_UNITS := --ignore=tests/system --ignore=tests/project --ignore=tests/fuzz --ignore=tests/cli
# What serving needs; and that with all that development needs.
SERVES := $(VENV)/.serves
INSTALLED := $(VENV)/.installed
KUBERNETES := tests/system/kubernetes/requirements.lock
SITE := docs/site/requirements.lock
PIP := $(RUN) pip install --quiet --disable-pip-version-check

# A virtual environment belongs to one folder and one interpreter: when either changes it is made anew.
MADE_FOR := $(CURDIR) $(PYTHON) $(shell $(PYTHON) -V 2>&1 || :)

# One sentence for each thing that may be missing.
define needs
say() { printf 'make: error: %s\n' "$$1" >&2; exit 1; }; \
command -v git >/dev/null || \
	say 'git is not installed; on Debian and Ubuntu: apt install git'; \
case "$$('$(PYTHON)' -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" in \
	3.11|3.12|3.13) ;; \
	'') say 'there is no $(PYTHON); on Debian and Ubuntu: apt install python3-venv, elsewhere: make PYTHON=/path/to/python3' ;; \
	*) say "$(PYTHON) is $$('$(PYTHON)' -V 2>&1), but 3.11, 3.12 or 3.13 is needed; name one: make PYTHON=python3.11" ;; \
esac; \
'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || \
	say '$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv'
endef

# Compiled tests are kept for the next time: to compile them takes longer than many of them run.
unexport PYTHONDONTWRITEBYTECODE

.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help serve test test-quick cover soak bench fuzz lint check kubernetes docs site dist lock clean FORCE

help: ## show this text
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

serve: $(SERVES) ## run the service on its own example repository, at http://127.0.0.1:8080
	$(VENV)/bin/location-policy serve --example $(ARGS)

test: $(INSTALLED) ## run the tests
	$(RUN) $(TESTS) $(ARGS)

test-quick: $(INSTALLED) ## run the tests of units, for the minute between two edits
	$(RUN) $(TESTS) --hypothesis-profile quick $(NO_UNITS) $(ARGS)

cover: $(INSTALLED) ## run the tests, then report the branch coverage of package and tests (half as long again)
	$(RUN) coverage erase
	$(RUN) coverage run -m $(TESTS) $(ARGS)
	$(RUN) coverage combine --quiet
	$(RUN) coverage report

soak: $(INSTALLED) ## put ten thousand commits in force and print what the service holds (takes minutes)
	$(RUN) tests.system.soak $(ARGS)

bench: $(INSTALLED) ## measure the service beside what would be used instead (QUICK=1 takes two minutes)
	$(RUN) benchmarks.bench $(if $(QUICK),--quick) $(ARGS)

lint: $(INSTALLED) ## check rules, layout, types and the order of packages
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(VENV)/bin/lint-imports --no-logo --no-cache

fuzz: $(INSTALLED) ## throw hostile input at the program for BUDGET seconds (300)
	$(RUN) tests.fuzz.run --seconds $(BUDGET) $(ARGS)

# Its tests are skipped without it. It is large, and not to be had for every system.
kubernetes: $(VENV)-kubernetes/.installed ## install what tests deploy/kubernetes

docs: $(INSTALLED) ## write docs/reference, man pages and the picture of a push anew from what the program says
	$(VENV)/bin/python docs/generate.py docs/reference
	$(VENV)/bin/python docs/push_picture.py docs/images/push.svg
	$(VENV)/bin/python docs/man_pages.py docs/reference/man

# Sphinx stands in an environment of its own, so that neither serving nor testing installs it. Every warning is an error: a link
# that leads nowhere, a page on no shelf.
site: $(VENV)-site/.installed ## make a site of docs/ in site/, with search, to be read without a network
	rm -rf site
	$(VENV)-site/bin/sphinx-build --quiet --fail-on-warning --keep-going --conf-dir docs/site \
		--doctree-dir $(VENV)-site/doctrees . site
	@echo 'site/index.html'

dist: $(INSTALLED) ## build what is released of the newest commit into dist/, and try it (needs the network)
	$(VENV)/bin/python deploy/release/dist.py $(ARGS)

check: lint test ## lint and test: all that CI does

# Only this needs uv, so it has an environment of its own, which also works when the present lock does not install.
# Pins that still fit are kept: ARGS=--upgrade takes the newest, ARGS='--upgrade-package NAME' that of one package.
# One resolution gives every pin; two more, held to it, tell which of them the program needs at run time, and which beside
# them the editable install that serves from a clone.
LOCK := $(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url
lock: ## write the locks anew from pyproject.toml
	@$(needs)
	$(PYTHON) -m venv --clear $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: 'uv>=0.13,<1'
	$(LOCK) --generate-hashes --custom-compile-command 'make lock' --group dev --output-file requirements.lock $(ARGS) \
		pyproject.toml
	$(LOCK) --no-annotate --no-header --constraint requirements.lock --output-file $(VENV)-lock/1 pyproject.toml
	echo hatchling | $(LOCK) --no-annotate --no-header --constraint requirements.lock --output-file $(VENV)-lock/2 -
	awk -F == 'FILENAME ~ /[12]$$/ { if (!part[$$1]) part[$$1] = substr(FILENAME, length(FILENAME)); next } \
		/^[a-z0-9]/ { at = part[$$1] ? part[$$1] : 3 } { text[at ? at : 1] = text[at ? at : 1] $$0 "\n" } \
		END { printf "%s# --- only for development ---\n%s# --- not for serving from a clone ---\n%s", text[1], text[2], text[3] }' \
		$(VENV)-lock/1 $(VENV)-lock/2 requirements.lock >$(VENV)-lock/parted.txt
	$(LOCK) --generate-hashes --custom-compile-command 'make lock' --group pyproject.toml:kubernetes \
		--constraint requirements.lock --output-file $(KUBERNETES) $(ARGS)
	$(LOCK) --generate-hashes --custom-compile-command 'make lock' --group pyproject.toml:site \
		--constraint requirements.lock --output-file $(SITE) $(ARGS)
	cp $(VENV)-lock/parted.txt requirements.lock
	rm -rf $(VENV)-lock

clean: ## remove what make and the tools made; ./data stays
	rm -rf $(VENV) $(VENV)-lock $(VENV)-kubernetes $(VENV)-site site dist htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf .coverage .coverage.*
	find service tests benchmarks docs -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

ifneq ($(shell cat $(VENV)/.made-for 2>/dev/null),$(MADE_FOR))
$(SERVES): FORCE
endif

# A changed lock means a new environment: nothing stays of what the lock no longer names.
# The version of the installed project comes from __init__.py.
$(SERVES): requirements.lock pyproject.toml service/location_policy/__init__.py
	@$(needs)
	@if [ "$$(cat $(VENV)/.made-for 2>/dev/null)" = '$(MADE_FOR)' ] && cmp -s requirements.lock $(VENV)/.lock; then :; else \
		echo 'making $(VENV) from requirements.lock, which takes a minute or less' && \
		'$(PYTHON)' -m venv --clear $(VENV) && \
		sed '/^# --- not for serving/,$$d' requirements.lock >$(VENV)/serves.lock && \
		$(PIP) --require-hashes --only-binary :all: --requirement $(VENV)/serves.lock && \
		printf '%s\n' '$(MADE_FOR)' >$(VENV)/.made-for && \
		cp requirements.lock $(VENV)/.lock; \
	fi
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(INSTALLED): $(SERVES)
	@[ -e $@ ] || $(PIP) --require-hashes --only-binary :all: --requirement requirements.lock
	@touch $@

$(VENV)-kubernetes/.installed: $(KUBERNETES)
$(VENV)-site/.installed: $(SITE)
$(VENV)-kubernetes/.installed $(VENV)-site/.installed:
	@$(needs)
	'$(PYTHON)' -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --requirement $<
	@touch $@
