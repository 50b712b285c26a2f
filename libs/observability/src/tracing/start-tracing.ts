import { setTimeout as delay } from 'node:timers/promises';
import type * as Sdk from './sdk';

/** How long the last spans may take, in milliseconds: a collector that is away delays no shutdown further. */
const flushMs = 2_000;

/**
 * Exports the spans of this process when it has an address for them; loads OpenTelemetry's SDK only then.
 * @param name the name of the service
 * @returns a function that exports what is left; it does not reject
 */
export function startTracing(name: string, endpoint: string | undefined): () => Promise<void> {
  if (endpoint === undefined) return () => Promise.resolve();
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import would load the SDK in every process
  const { exportSpans } = require('./sdk') as typeof Sdk;
  const end = exportSpans(name);
  return () => Promise.race([end().catch(() => undefined), delay(flushMs, undefined, { ref: false })]);
}
