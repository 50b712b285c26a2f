import { PrismaPg } from '@prisma/adapter-pg';
import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { Pool } from 'pg';
import { createLedgerPool, OutboxWakeUp, Transactions, type PoolSettings } from '@app/ledger';
import { PrismaClient } from './generated/prisma/client';

export * from './generated/prisma/client';

/** Creates Prisma over the pool of the hot statements, so that a process has one set of connections. */
export function createPrismaClient(pool: Pool): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg(pool) });
}

/** The process's pool, its Prisma client and the relay's wake-up. Inject them by their classes. */
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(@Inject(Pool) private readonly pool: Pool) {}

  /** @param settings.connections the size of the pool; 4 by default */
  static forRoot(settings: {
    databaseUrl: string;
    application: string;
    pool: PoolSettings;
    connections?: number;
  }): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      providers: [
        {
          provide: Pool,
          useFactory: () =>
            createLedgerPool(settings.databaseUrl, settings.application, settings.pool, settings.connections),
        },
        { provide: PrismaClient, inject: [Pool], useFactory: createPrismaClient },
        { provide: Transactions, useExisting: PrismaClient },
        { provide: OutboxWakeUp, inject: [Pool], useFactory: (pool: Pool) => new OutboxWakeUp(pool) },
      ],
      exports: [Pool, PrismaClient, Transactions, OutboxWakeUp],
    };
  }

  /** Closes the pool last: other modules still need the ledger while they drain. */
  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }
}
