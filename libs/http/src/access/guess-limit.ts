import type { Request } from 'express';
import { ThrottlerStorageService } from '@nestjs/throttler';
import { addressOf } from '../request/address';

const wrongKeys = 20;
const withinMs = 10_000;

/**
 * Counts wrong keys by address, so that an address which tries many is told to wait. It counts a key only when the key
 * is known to be wrong: a right key is served whatever else comes from its address, since others may share the address.
 */
export class GuessLimit {
  private readonly counts = new ThrottlerStorageService();

  /** @returns how many seconds an address with a wrong key is told to wait; 0 for its first 20 */
  async countWrongKey(request: Request): Promise<number> {
    const address = addressOf(request);
    const waitSeconds = this.waitOf(address);
    await this.counts.increment(address, withinMs, wrongKeys - 1, withinMs, 'wrong keys');
    return waitSeconds;
  }

  private waitOf(address: string): number {
    const count = this.counts.storage.get(address);
    return count?.isBlocked ? Math.max(0, Math.ceil((count.blockExpiresAt - Date.now()) / 1_000)) : 0;
  }
}
