import type { Request } from 'express';
import { ThrottlerStorageService } from '@nestjs/throttler';
import { addressOf } from '../request/address';

const wrongKeys = 20;
const withinMs = 10_000;

/**
 * Counts wrong keys by address and limits an address that tries many of them. A right key is never limited, because
 * other callers may share the address.
 */
export class GuessLimit {
  private readonly counts = new ThrottlerStorageService();

  /**
   * Counts one wrong key.
   * @returns the seconds that the caller must wait; 0 for the first 20 wrong keys of its address
   */
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
