import type { Request } from 'express';
import { normalizeIp } from '@nestjs/throttler';

/** Returns the address of the caller. An IPv6 network counts as one address, because it belongs to one customer. */
export function addressOf({ ip }: Pick<Request, 'ip'>): string {
  return normalizeIp(ip ?? '');
}
