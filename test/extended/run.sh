#!/usr/bin/env bash
# Everything that is too long for `npm test`, or that needs a server which only Debian has: extended tests, brokers
# killed under load, templates, sabotages. With a pattern, only the extended tests whose files match it: `run.sh nginx`.
set -euo pipefail
cd "$(dirname "$0")/../.."

need() { command -v "$1" >/dev/null || missing+=("$2"); }
missing=()
need nginx nginx-light
need pgbouncer pgbouncer
need ip iproute2
need prometheus prometheus
need prometheus-alertmanager prometheus-alertmanager
if ((${#missing[@]})); then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

if (($#)); then exec npx jest --selectProjects extended --maxWorkers=1 -- "$@"; fi
bash test/extended/templates.sh
# One file at a time: several of them measure.
npx jest --selectProjects extended chaos --maxWorkers=1
node dist/test/sabotage/main.js
