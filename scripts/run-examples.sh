#!/usr/bin/env bash
# Runs the examples: all of them, or those that are named.
#   scripts/run-examples.sh
#   scripts/run-examples.sh rabbitmq/topic kafka
# It finds the servers as the tests do: at REDIS_URL, RABBITMQ_URL, KAFKA_BROKERS and DATABASE_URL, else it starts them for
# this run, from installed programs or with Docker. It names what it lacks, and what that skips.
set -euo pipefail
cd "$(dirname "$0")/.."
node scripts/build.mjs
exec node dist/scripts/examples/main.js "$@"
