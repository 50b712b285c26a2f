import type { JobDefinition } from '@app/contracts';

/**
 * @returns the payload for the handler: upcast to the current version, and checked
 * @throws PayloadRefused
 */
export function payloadOf(definition: JobDefinition, version: number, payload: unknown): unknown {
  let current: unknown;
  try {
    current = version < definition.version && definition.upcast ? definition.upcast(payload, version) : payload;
  } catch (error) {
    throw new PayloadRefused(`version ${version} could not be brought up to date: ${(error as Error).message}`);
  }
  const parsed = definition.payload.safeParse(current);
  if (!parsed.success) throw new PayloadRefused(parsed.error.message);
  return parsed.data;
}

/** The payload does not fit its definition. Another attempt would find the same. */
export class PayloadRefused extends Error {}
