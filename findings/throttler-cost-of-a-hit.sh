#!/usr/bin/env bash
# @nestjs/throttler 6.7.1: with its storage in memory, a request costs more, the more requests are in the window.
#
# Versions: @nestjs/throttler 6.7.1, @nestjs/common and @nestjs/core 11.2.10, Node 20.20 or 24.
# Seen on 2026-12-01: one `increment` with 250 hits in the window takes 5 microseconds, with 16,000 hits 240 to 263: some 40
# times as long. The storage keeps the time of every hit and filters all of them at each further one. A limit of 1,000
# requests a minute for each of 100 callers is also 100,000 numbers in memory.
# So a high limit, which is meant to cost nothing, is what makes each request expensive; a profile of the API shows it as
# `pruneExpiredHits`. A counter for each window, or a storage outside the process, has a constant cost.
#
# Needs Node 20 or later, npm. Exits 1 when this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --loglevel=error --no-audit --no-fund --ignore-scripts \
  @nestjs/throttler@6.7.1 @nestjs/common@11.2.10 @nestjs/core@11.2.10 reflect-metadata@0.2.2 rxjs@7.8.2
cat >finding.cjs <<'JS'
require('reflect-metadata');
const { ThrottlerStorageService } = require('@nestjs/throttler');

const windowMs = 600_000;
const limit = 1_000_000;

/** Microseconds of one increment when the window holds this many hits: the median of 200. */
async function microseconds(hits) {
  const storage = new ThrottlerStorageService();
  for (let n = 0; n < hits; n += 1) await storage.increment('caller', windowMs, limit, 0, 'default');
  const took = [];
  for (let n = 0; n < 200; n += 1) {
    const start = process.hrtime.bigint();
    await storage.increment('caller', windowMs, limit, 0, 'default');
    took.push(Number(process.hrtime.bigint() - start) / 1_000);
  }
  storage.onApplicationShutdown();
  return took.sort((a, b) => a - b)[100];
}

(async () => {
  await microseconds(2_000);
  const [few, many] = [await microseconds(250), await microseconds(16_000)];
  console.log(`250 hits in the window: ${few.toFixed(1)} us; 16,000 hits: ${many.toFixed(1)} us, ${(many / few).toFixed(0)} times`);
  process.exit(many / few > 10 ? 0 : 1);
})();
JS
node finding.cjs
