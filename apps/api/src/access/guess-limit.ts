import type { Request } from 'express';
import { normalizeIp, ThrottlerStorageService } from '@nestjs/throttler';

const wrongKeys = 20;
const withinMs = 10_000;

/** Counts wrong keys by address: whoever tries one after another soon waits, even if the next one is right. */
export class GuessLimit {
  private readonly counts = new ThrottlerStorageService();

  /** @returns how many seconds this address has to wait; 0 when it need not */
  waitOf(request: Request): number {
    const count = this.counts.storage.get(addressOf(request));
    return count?.isBlocked ? Math.max(0, Math.ceil((count.blockExpiresAt - Date.now()) / 1_000)) : 0;
  }

  async countWrongKey(request: Request): Promise<void> {
    await this.counts.increment(addressOf(request), withinMs, wrongKeys - 1, withinMs, 'wrong keys');
  }
}

/** A whole IPv6 network counts as one: it belongs to one customer. */
function addressOf({ ip }: Request): string {
  return normalizeIp(ip ?? '');
}
