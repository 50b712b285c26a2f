#!/usr/bin/env bash
# Makes three projects with `npm run template`, adds a job to each, and runs all that each README promises.
set -euo pipefail
cd "$(dirname "$0")/../.."
npm run build
folder=$(mktemp -d)
chmod 755 "$folder" # When root runs this, an unprivileged user runs PostgreSQL in there.
trap 'rm -rf "$folder"' EXIT

# Starts the project until it says that it is ready, and stops it.
start() {
  mkfifo "$1/said"
  PORT=3197 DATA_DIR="$1/data" timeout 300 npm start >"$1/said" 2>&1 &
  local npm=$! ready=no
  while read -r line; do
    echo "$line"
    case "$line" in ready*) ready=yes; kill -INT "$npm" ;; esac
  done <"$1/said"
  wait "$npm" || true
  [ "$ready" = yes ]
}

check() {
  local project="$folder/$1"
  node dist/scripts/template/main.js "$project" --name "$1" "${@:2}"
  (
    cd "$project"
    git init -q
    git add -A
    git -c user.name=template -c user.email=template@example.com commit -qm Begin
    npm ci
    start "$folder"
    rm -rf "$folder/said" "$folder/data"
    npm run lint
    npm run typecheck
    npm test
    npm run new:job -- invoice.generate
    npm run lint
    npm run typecheck
    npm run build
    npx jest invoice --selectProjects unit e2e
  )
  rm -rf "$project"
}

check email-only --jobs email --no-web
check sms-rabbitmq --jobs sms --brokers bullmq,rabbitmq --no-web
check web-kafka --jobs email,sms,report,image,product,webhook --brokers bullmq,kafka
