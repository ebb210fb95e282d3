# SPDX-License-Identifier: GPL-3.0-or-later
# The front door. `make help` lists what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Which lab: several live side by side when these differ.
export LAB_NAME ?= lab
export LAB_SUBNET ?= 10.77.0.0/24

# Passed on: to ansible-playbook by destroy, deploy, verify and status (make deploy ARGS='--check --diff'), to the client by psql,
# redis, s3 and bao (make psql ARGS='-c "select 1"').
ARGS ?=

# Every target runs in the pinned tool environment, which is made where it is missing.
IN := tools/bootstrap >/dev/null && . .cache/env &&
PLAY := ansible-playbook -i inventories/lab

.PHONY: help
help: ## this list
	@echo 'Targets (LAB_NAME=$(LAB_NAME) LAB_SUBNET=$(LAB_SUBNET)):'
	@sed -nE \
		-e 's/^## (.*)/\n\1/p' \
		-e 's/^([a-z-]+):[^#]*## (.*)/  \1|\2/p' Makefile \
		| awk -F'|' 'NF == 2 { printf "%-15s %s\n", $$1, $$2; next } { print }'

## The platform on a lab of three hosts

.PHONY: quickstart
quickstart: ## everything: lab, deploy, verify, status; run it again at any time
	@$(IN) tools/quickstart

.PHONY: lab
lab: ## make the lab's hosts, or start them
	@$(IN) tools/quickstart lab

.PHONY: deploy
deploy: ## deploy the platform on the lab, or bring it back to what the inventory says
	@$(IN) $(PLAY) mcp.platform.deploy $(ARGS)

.PHONY: verify
verify: ## prove with real reads and writes what the platform is for
	@$(IN) $(PLAY) mcp.platform.verify $(ARGS)

.PHONY: status
status: ## the platform's services, versions, endpoints and health
	@$(IN) $(PLAY) mcp.platform.status $(ARGS)

.PHONY: psql
psql: ## log in to the application database on the primary, fully verified
	@$(IN) tools/connect psql $(ARGS)

.PHONY: redis
redis: ## log in to the Redis Cluster, fully verified
	@$(IN) tools/connect redis $(ARGS)

.PHONY: s3
s3: ## log in to the object store with mc, fully verified
	@$(IN) tools/connect s3 $(ARGS)

.PHONY: bao
bao: ## log in to the vault, fully verified
	@$(IN) tools/connect bao $(ARGS)

.PHONY: destroy
destroy: ## remove this lab with its data, and nothing else
	@$(IN) ansible-playbook mcp.platform.destroy_lab $(ARGS)

## Tests; failures come first, the last line is 'N passed, N failed'

.PHONY: test
test: ## everything, from nothing: static checks, units, containers, the whole landscape
	@$(IN) tests/run all

.PHONY: test-fast
test-fast: ## what needs no containers, a few minutes
	@$(IN) tests/run fast

.PHONY: lint
lint: ## ruff, mypy, yamllint, ansible-lint, shellcheck, changelog and documentation lint
	@$(IN) tests/run lint

.PHONY: unit
unit: ## unit and property tests
	@$(IN) tests/run unit

.PHONY: contract
contract: ## what every role and module has to keep to
	@$(IN) tests/run contract

.PHONY: sanity
sanity: ## ansible-test sanity
	@$(IN) tests/run sanity

.PHONY: integration
integration: ## every module against its real service
	@$(IN) tests/run integration

.PHONY: molecule
molecule: ## a scenario per role
	@$(IN) tests/run molecule

.PHONY: landscape
landscape: ## deploy, verify, deploy again under load, repair, break, all on a lab
	@$(IN) tests/run landscape

.PHONY: faults
faults: ## kill a first deployment at many points, on a lab of its own
	@$(IN) tests/faults/kill_first_deploy

.PHONY: bench
bench: ## how long a deployment takes against the floor of its own packages
	@$(IN) tests/benchmarks/run

## Housekeeping

.PHONY: lock
lock: ## pin the newest tools that go together
	@tools/bootstrap lock

.PHONY: clean-cache
clean-cache: ## remove the lab's image, the package cache and the tool environments; labs have to be gone
	@tools/clean-cache
