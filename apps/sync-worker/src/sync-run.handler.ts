import { Pool } from 'pg';
import type { ResultOf } from '@app/contracts';
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
/** About as many rows as can be deleted within a second. */
const rowsAtOnce = 20_000;

type Copied = ResultOf<typeof syncRun>;

/**
 * Builds the model of a tenant again beside the one in use, and replaces it in the commit that completes the job.
 * Subscribers write changes to both meanwhile.
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
    // The next attempt continues this generation and does not write existing rows again.
    const generation = await openGeneration(this.pool, tenant, `job ${job.id}`);
    try {
      const copied = await this.copy(generation, context);
      return await context.transaction(async (tx) => {
        await makeLive(tx, generation);
        // Further rows of a large model are deleted at the beginning of the next run.
        await dropClosedRows(tx, tenant, rowsAtOnce);
        return done(copied);
      });
    } catch (error) {
      if (isOver(job, context)) await closeGeneration.run(this.pool, generation);
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

/** Whether no later attempt will continue what this one has begun. */
function isOver({ attempt, maxAttempts }: JobOf<typeof syncRun>, { signal }: JobContext): boolean {
  if (signal.aborted) return signal.reason instanceof JobAborted && signal.reason.reason === 'cancelled';
  return attempt >= maxAttempts;
}
