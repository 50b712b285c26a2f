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

/** The page of the board and its routes. `Board` adds the queues. */
export function boardModule(access: Access): DynamicModule {
  return BullBoardModule.forRoot({
    route: bullBoardPath,
    adapter: LocalBoard,
    // The board is middleware, so no Nest guard runs for it.
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

/** The board's own connections to the ledger, so that it takes none from callers. They open at the first request. */
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

/** How long a result is shared, in ms, for any number of open boards. */
const keepMs = 1_000;

/**
 * Adds two views to the board. By kind: the jobs in the ledger, on any broker. By queue: the messages in BullMQ. These
 * are read-only, because a retry or a removal in BullMQ would contradict the ledger.
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
    // While BullMQ's backend is down, the board hides its queues and still shows the ledger.
    adapter.setVisibilityGuard(() =>
      adapter.getJobCounts().then(
        () => true,
        () => false,
      ),
    );
    return adapter;
  }
}

/** Returns the link to a job: its API route for a user, its page on the board for an operator or a viewer. */
function jobAddress(kind: string, jobId: string): string {
  return boardRequest.getStore()?.isUser ? `/v1/jobs/${jobId}` : `${bullBoardPath}/queue/${kind}/${jobId}`;
}

const rememberWhoLooks: RequestHandler = (request, _response, next) => {
  const identity = identityOf(request);
  const [mayChange, isUser] = [mayBe(identity, ['operator']), mayBe(identity, ['user'])];
  boardRequest.run({ mayChange, isUser, by: nameOf(identity) }, next);
};
