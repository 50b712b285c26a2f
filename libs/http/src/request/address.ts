import type { Request } from 'express';
import { normalizeIp } from '@nestjs/throttler';

/** Where a request comes from. A whole IPv6 network counts as one address: it belongs to one customer. */
export function addressOf({ ip }: Pick<Request, 'ip'>): string {
  return normalizeIp(ip ?? '');
}
