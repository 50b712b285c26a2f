import type { Request } from 'express';
import { ThrottlerStorageService } from '@nestjs/throttler';
import { digestOf } from '@app/configuration';
import { addressOf } from '../http/address';

const wrongKeys = 20;
const withinMs = 10_000;

/**
 * Counts wrong keys by address. After 20 of them an address is told to wait whenever its key is wrong; a right key is
 * served all the same, since others may share the address.
 *
 * That alone would let an address try keys as fast as it can, with 200 as the sign of the right one. So keys are also
 * counted in 256 lanes, by the first byte of their digest, and a lane with 20 wrong ones is shut: its keys are not
 * looked at. An address can try 512 keys a second, and has to try as many to shut a right key's lane.
 */
export class GuessLimit {
  private readonly counts = new ThrottlerStorageService();

  /** @returns how many seconds to wait before this key is looked at; 0 to look at it now */
  waitForLook(request: Request, key: string): number {
    return this.waitOf(laneOf(request, key));
  }

  /** @returns how many seconds an address with a wrong key is told to wait; 0 for its first 20 */
  async countWrongKey(request: Request, key: string): Promise<number> {
    const address = addressOf(request);
    const waitSeconds = this.waitOf(address);
    await Promise.all([this.count(address), this.count(laneOf(request, key))]);
    return waitSeconds;
  }

  private waitOf(counted: string): number {
    const count = this.counts.storage.get(counted);
    return count?.isBlocked ? Math.max(0, Math.ceil((count.blockExpiresAt - Date.now()) / 1_000)) : 0;
  }

  private async count(counted: string): Promise<void> {
    await this.counts.increment(counted, withinMs, wrongKeys - 1, withinMs, 'wrong keys');
  }
}

function laneOf(request: Request, key: string): string {
  return `${addressOf(request)} ${digestOf(key)[0]}`;
}
