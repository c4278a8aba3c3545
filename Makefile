.PHONY: run test lint bench build audit deb docs lint-deploy config man modules metric-tables schemas mixin reliability reliability-page lock ci

run:            ## install into .venv and start the daemon
	scripts/venv && .venv/bin/monitor run

test:           ## install what the tests need and run them all
	scripts/venv --dev && .venv/bin/python -m pytest -n 2 -m "unit or integration" && .venv/bin/python -m pytest -n 6 --dist=worksteal -m faults tests/faults && .venv/bin/python -m pytest -m e2e

lint:           ## check style, types and import contracts
	scripts/venv --dev
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench:          ## run the benchmarks next to their peers; exit 1 if a target is missed
	scripts/venv --bench
	.venv/bin/python -m benchmarks.storage --check
	.venv/bin/python -m benchmarks.daemon --check
	.venv/bin/python -m benchmarks.commands --check
	.venv/bin/python -m benchmarks.training --check
	.venv/bin/python -m benchmarks.tutorials --check
	.venv/bin/python -m benchmarks.shift --check

build:          ## build the sdist, the wheel, the bill of materials and their checksums in dist/
	scripts/venv --dev
	rm -rf build dist
	.venv/bin/python -m build --no-isolation
	.venv/bin/python scripts/supply_chain.py sbom dist/monitor-early-warning.cdx.json
	cd dist && sha256sum * > SHA256SUMS

audit:          ## look up known vulnerabilities of the runtime dependencies
	scripts/venv --dev
	.venv/bin/python scripts/supply_chain.py audit

deb:            ## build the Debian package in this directory
	deploy/debian/build

docs:           ## build the documentation site in build/site; a broken link is an error
	scripts/venv --docs
	NO_MKDOCS_2_WARNING=1 .venv/docs/bin/mkdocs build --strict --quiet

lint-deploy:    ## check the Containerfile and the Ansible role
	scripts/venv --deploy
	.venv/deploy/bin/hadolint deploy/container/Containerfile
	.venv/deploy/bin/ansible-playbook --syntax-check --inventory localhost, deploy/ansible/site.yml

config:         ## regenerate config.toml, its reference and deploy/monitor.service
	.venv/bin/python scripts/make_config.py

modules:        ## regenerate the list of modules from their docstrings
	.venv/bin/python scripts/module_map.py > docs/reference/modules.md

metric-tables:  ## regenerate the tables of host metrics in the reference pages
	.venv/bin/python scripts/make_metric_tables.py

schemas:        ## regenerate the JSON schemas in docs/schemas from the typed documents
	.venv/bin/python scripts/make_schemas.py

man:            ## regenerate deploy/man/monitor.1 and docs/reference/commands.md from the help of the commands
	.venv/bin/python scripts/make_manpage.py
	.venv/bin/python scripts/make_commands.py

mixin:          ## regenerate the rules of Prometheus and the dashboards of Grafana from deploy/mixin
	.venv/bin/python scripts/make_mixin.py

reliability:    ## inject the faults, record the results, regenerate docs/reference/reliability.md
	MONITOR_FAULTS_RECORD=tests/faults/results.json .venv/bin/python -m pytest -m faults -n 6 --dist=worksteal tests/faults
	.venv/bin/python scripts/make_reliability.py

reliability-page:    ## regenerate docs/reference/reliability.md from the recorded results
	.venv/bin/python scripts/make_reliability.py

lock:           ## regenerate the lock files (needs uv)
	uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 --extra dev \
	    --no-header --no-annotate --no-emit-package monitor-early-warning pyproject.toml -o requirements-dev.lock
	for tools in docs deploy; do uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 \
	    --no-header --no-annotate $$tools/requirements.in -o $$tools/requirements.lock || exit 1; done

ci:
	bash .ci/run
