import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Pool } from 'pg';
import { forgetUploads, readUnneededUploads } from '@app/features/image';
import { FileStore } from '@app/storage';

const everyMs = 60_000;

/**
 * Removes uploads that no job needs any more. Every worker does it, and a second removal does no harm; one that fails
 * is tried again by the next sweep.
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

  /** @returns how many there were */
  async sweep(): Promise<number> {
    const keys = await readUnneededUploads(this.pool);
    for (const key of keys) await this.store.remove(key);
    // The row goes last: as long as it is there, the file will be found again.
    await forgetUploads(this.pool, keys);
    return keys.length;
  }
}
