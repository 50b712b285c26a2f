#!/usr/bin/env bash
# Runs the examples on the brokers that answer: all of them, or those that are named.
#   scripts/run-examples.sh
#   scripts/run-examples.sh rabbitmq/topic kafka
# Addresses: REDIS_URL, RABBITMQ_URL, KAFKA_BROKERS; without them, the usual ports of this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
node scripts/build.mjs
exec node dist/scripts/examples/main.js "$@"
