import { BullBoardModule, InjectBullBoard, type BullBoardInstance } from '@bull-board/nestjs';
import { getQueueToken } from '@nestjs/bullmq';
import { Injectable, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { Queue } from 'bullmq';
import { Pool } from 'pg';
import { jobDefinitions } from '@app/features/catalogue';
import { BullmqMessages, queuesOf } from '@app/messaging';
import { boardPool, createLedgerPool, OutboxWakeUp } from '@app/ledger';
import { bullBoardPolicy, readJsonBody } from '@app/http';
import { Redriver } from '../operations/redriver';
import { SharedReads } from './board-adapter';
import { identifyViewer, readBoardQuery, refuseOtherActions } from './board-request';
import { LedgerAdapter } from './ledger-adapter';
import { LocalBoard } from './local-board';
import { bullBoardPath, MessageAdapter } from './message-adapter';

/** The page of the board and its routes. `Board` adds the queues. */
export function boardModule(): DynamicModule {
  return BullBoardModule.forRoot({
    route: bullBoardPath,
    adapter: LocalBoard,
    // The board is middleware, so no Nest guard runs for it.
    middleware: [identifyViewer, refuseOtherActions, readBoardQuery, readJsonBody, bullBoardPolicy],
    boardOptions: { uiConfig: { boardTitle: 'Queues', hideDocsLink: true } },
  });
}

/**
 * The connections for the board's reads of the ledger, so that a slow read takes none from callers. They open at the
 * first read.
 */
export class BoardPool implements OnApplicationShutdown {
  readonly pool: Pool;

  constructor(databaseUrl: string) {
    this.pool = createLedgerPool(databaseUrl, 'api board', boardPool, 2);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }
}

/**
 * Adds two views to the board. By kind: the jobs in the ledger, on any broker. By queue: the messages in BullMQ. These
 * are read-only, because a retry or a removal in BullMQ would contradict the ledger.
 */
@Injectable()
export class Board implements OnModuleInit {
  readonly reads = new SharedReads();

  constructor(
    @InjectBullBoard() private readonly board: BullBoardInstance,
    private readonly messages: BullmqMessages,
    private readonly modules: ModuleRef,
    readonly boardPool: BoardPool,
    /** The connections of the callers. */
    readonly pool: Pool,
    readonly redriver: Redriver,
    readonly wakeUp: OutboxWakeUp,
  ) {}

  onModuleInit(): void {
    for (const { kind } of jobDefinitions) this.board.addQueue(new LedgerAdapter(kind, this));
    for (const { queue: name } of queuesOf(jobDefinitions)) {
      const queue = this.modules.get<Queue>(getQueueToken(name), { strict: false });
      this.board.addQueue(new MessageAdapter(queue, this.messages, this.reads));
    }
  }
}
