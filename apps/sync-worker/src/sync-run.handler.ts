import { Pool } from 'pg';
import {
  syncRun,
  closeGeneration,
  copyPage,
  countProducts,
  dropClosedRows,
  makeLive,
  openGeneration,
  type Generation,
} from '@app/features/product';
import { done, JobAborted, JobHandler, type Handler, type JobContext, type JobOf, type Outcome } from '@app/messaging';
import { PrismaClient } from '@app/database';

const pageSize = 1_000;
/** As many as are deleted within a second. */
const rowsAtOnce = 20_000;

interface Copied {
  readonly read: number;
  readonly written: number;
  readonly skipped: number;
}

/**
 * Builds the model of a tenant anew beside the one that is read, and puts it in its place in the commit that completes
 * the job. Whoever hears of changes meanwhile writes to both.
 */
@JobHandler(syncRun)
export class SyncRunHandler implements Handler<typeof syncRun> {
  constructor(
    private readonly pool: Pool,
    private readonly prisma: PrismaClient,
  ) {}

  async handle(job: JobOf<typeof syncRun>, context: JobContext): Promise<Outcome<Copied>> {
    const { tenant } = job;
    await this.dropLeftovers(tenant, context.signal);
    // The next attempt goes on with it: what is there already is not written again.
    const generation = await openGeneration(this.pool, tenant, `job ${job.id}`);
    try {
      const copied = await this.copy(generation, context);
      return await context.transaction(async (tx) => {
        await makeLive(tx, generation);
        // Of a large model the rest goes at the beginning of the next run.
        await dropClosedRows(tx, tenant, rowsAtOnce);
        return done(copied);
      });
    } catch (error) {
      if (isOver(job, context)) await closeGeneration(this.pool, generation.id);
      throw error;
    }
  }

  private async copy(generation: Generation, { signal, progress }: JobContext): Promise<Copied> {
    const total = await countProducts(this.pool, generation.tenant);
    const copied = { read: 0, written: 0 };
    for (let after: string | undefined = ''; after !== undefined;) {
      signal.throwIfAborted();
      const page = await copyPage(this.pool, generation, after, pageSize);
      copied.read += page.read;
      copied.written += page.written;
      progress(Math.min(100, (copied.read / Math.max(total, 1)) * 100), `${copied.read} of ${total} products`);
      after = page.last;
    }
    return { ...copied, skipped: copied.read - copied.written };
  }

  private async dropLeftovers(tenant: string, signal: AbortSignal): Promise<void> {
    for (let dropped = rowsAtOnce; dropped === rowsAtOnce;) {
      signal.throwIfAborted();
      dropped = await dropClosedRows(this.prisma, tenant, rowsAtOnce);
    }
  }
}

/** Nobody will go on with what this attempt has begun. */
function isOver({ attempt, maxAttempts }: JobOf<typeof syncRun>, { signal }: JobContext): boolean {
  if (signal.aborted) return signal.reason instanceof JobAborted && signal.reason.reason === 'cancelled';
  return attempt >= maxAttempts;
}
