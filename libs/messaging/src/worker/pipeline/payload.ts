import type { JobDefinition } from '@app/contracts';

/** The payload as the handler gets it: of today's version, and checked. @throws PayloadRefused */
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

/** The payload is not what its definition says; another attempt would find the same. */
export class PayloadRefused extends Error {}
