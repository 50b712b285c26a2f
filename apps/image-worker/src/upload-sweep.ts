import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Pool } from 'pg';
import { forgetUploads, readUnneededUploads } from '@app/features/image';
import { FileStore } from '@app/storage';

const everyMs = 60_000;

/**
 * Removes uploads that no job needs any more. Every worker does this; a second removal does no harm, and the next sweep
 * retries a failed one.
 */
@Injectable()
export class UploadSweep implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly store: FileStore,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.sweep().catch(() => undefined), everyMs);
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** @returns the number of removed uploads */
  async sweep(): Promise<number> {
    const keys = await readUnneededUploads(this.pool);
    for (const key of keys) await this.store.remove(key);
    // Deletes the rows last: while a row exists, a later sweep finds its file.
    await forgetUploads(this.pool, keys);
    return keys.length;
  }
}
