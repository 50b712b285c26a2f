import { BullBoardModule, InjectBullBoard, type BullBoardInstance } from '@bull-board/nestjs';
import { getQueueToken } from '@nestjs/bullmq';
import { Injectable, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { Queue } from 'bullmq';
import type { RequestHandler } from 'express';
import { Pool } from 'pg';
import { jobDefinitions } from '@app/features/catalogue';
import { BullmqMessages, queuesOf } from '@app/messaging';
import { boardPool, createLedgerPool, OutboxWakeUp } from '@app/ledger';
import { bullBoardPolicy, changesSomething, identityOf, mayBe, nameOf, type Access, readJsonBody } from '@app/http';
import { Redriver } from '../operations/redriver';
import { refuseOtherActions } from './allowed-actions';
import { readBoardQuery } from './board-query';
import { boardRequest } from './board-request';
import { LedgerAdapter } from './ledger-adapter';
import { LocalBoard } from './local-board';
import { MessageAdapter } from './message-adapter';
import { SharedReads } from './shared-reads';

const bullBoardPath = '/admin/queues';

/** The page and its routes. What it shows is put there by `Board`. */
export function boardModule(access: Access): DynamicModule {
  return BullBoardModule.forRoot({
    route: bullBoardPath,
    adapter: LocalBoard,
    // The board is middleware itself: no guard sees it.
    middleware: [
      access.demand((request) => [changesSomething(request) ? 'operator' : 'viewer']),
      refuseOtherActions,
      readBoardQuery,
      readJsonBody,
      rememberWhoLooks,
      bullBoardPolicy,
    ],
    boardOptions: { uiConfig: { boardTitle: 'Queues', hideDocsLink: true } },
  });
}

/** The board's connections to the ledger: those of callers are for callers. They are opened at the first look. */
@Injectable()
export class BoardPool implements OnApplicationShutdown {
  constructor(readonly pool: Pool) {}

  static at(databaseUrl: string): BoardPool {
    return new BoardPool(createLedgerPool(databaseUrl, 'api board', boardPool, 2));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }
}

/** However many boards are open, and however often each of them asks. */
const keepMs = 1_000;

/**
 * Two views of one thing. By kind: the jobs as the ledger has them, on whichever broker. By queue: the messages that
 * BullMQ holds, read-only, since one that is retried or removed there would say something else than the ledger.
 */
@Injectable()
export class Board implements OnModuleInit {
  private readonly reads = new SharedReads(keepMs);

  constructor(
    @InjectBullBoard() private readonly board: BullBoardInstance,
    private readonly messages: BullmqMessages,
    private readonly modules: ModuleRef,
    private readonly boardPool: BoardPool,
    private readonly pool: Pool,
    private readonly redriver: Redriver,
    private readonly wakeUp: OutboxWakeUp,
  ) {}

  onModuleInit(): void {
    const { reads, pool, redriver, wakeUp } = this;
    const ledger = { reads, pool, redriver, wakeUp, boardPool: this.boardPool.pool };
    for (const { kind } of jobDefinitions) this.board.addQueue(new LedgerAdapter(kind, ledger));
    for (const { queue } of queuesOf(jobDefinitions)) this.board.addQueue(this.adapterOf(queue));
  }

  private adapterOf(name: string): MessageAdapter {
    const queue = this.modules.get<Queue>(getQueueToken(name), { strict: false });
    const adapter = new MessageAdapter(queue, this.messages, this.reads, jobAddress);
    // Where BullMQ's backend is away, its queues are not there to look at, and the ledger still is.
    adapter.setVisibilityGuard(() =>
      adapter.getJobCounts().then(
        () => true,
        () => false,
      ),
    );
    return adapter;
  }
}

/** A caller may read his own jobs; who runs the system sees them by their kind. */
function jobAddress(kind: string, jobId: string): string {
  return boardRequest.getStore()?.isUser ? `/v1/jobs/${jobId}` : `${bullBoardPath}/queue/${kind}/${jobId}`;
}

const rememberWhoLooks: RequestHandler = (request, _response, next) => {
  const identity = identityOf(request);
  const [mayChange, isUser] = [mayBe(identity, ['operator']), mayBe(identity, ['user'])];
  boardRequest.run({ mayChange, isUser, by: nameOf(identity) }, next);
};
