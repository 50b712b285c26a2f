import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { BullBoardModule, InjectBullBoard, type BullBoardInstance } from '@bull-board/nestjs';
import { getQueueToken } from '@nestjs/bullmq';
import { Inject, Injectable, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { Queue } from 'bullmq';
import type { RequestHandler } from 'express';
import { Pool } from 'pg';
import { jobDefinitions } from '@app/contracts';
import { DRIVERS, queuesOf, type BrokerDriver } from '@app/messaging';
import { OutboxWakeUp } from '@app/persistence';
import { bullBoardPolicy, changesSomething, identityOf, mayBe, nameOf, type Access } from '../access';
import { readJsonBody } from '../bodies/json-body';
import { Redriver } from '../operations/redriver';
import { withinTime } from '../operations/within-time';
import { refuseOtherActions } from './allowed-actions';
import { checkBoardQuery } from './board-query';
import { boardRequest } from './board-request';
import { LedgerAdapter } from './ledger-adapter';
import { LocalBoard } from './local-board';

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
      checkBoardQuery,
      readJsonBody,
      rememberWhoLooks,
      bullBoardPolicy,
    ],
    boardOptions: { uiConfig: { boardTitle: 'Queues', hideDocsLink: true } },
  });
}

/**
 * Two views of one thing. By kind: the jobs as the ledger has them, on whichever broker. By queue: the messages that
 * BullMQ holds, read-only, since one that is retried or removed there would say something else than the ledger.
 */
@Injectable()
export class Board implements OnModuleInit {
  constructor(
    @InjectBullBoard() private readonly board: BullBoardInstance,
    @Inject(DRIVERS) private readonly drivers: readonly BrokerDriver[],
    private readonly modules: ModuleRef,
    private readonly pool: Pool,
    private readonly redriver: Redriver,
    private readonly wakeUp: OutboxWakeUp,
  ) {}

  onModuleInit(): void {
    for (const { kind } of jobDefinitions) {
      this.board.addQueue(new LedgerAdapter(kind, this.pool, this.redriver, this.wakeUp));
    }
    for (const { queue } of queuesOf(jobDefinitions)) this.board.addQueue(this.adapterOf(queue));
  }

  private adapterOf(queue: string): BullMQAdapter {
    const adapter = new BullMQAdapter(this.modules.get<Queue>(getQueueToken(queue), { strict: false }), {
      displayName: `BullMQ ${queue}`,
      description: `The messages that BullMQ holds of the queue ${queue}. Completed here means handled, not that the job is done.`,
      readOnlyMode: true,
      allowRetries: false,
      externalJobUrl: ({ name, data }) => ({ displayText: 'the job in the ledger', href: jobAddress(name, data) }),
    });
    // Where BullMQ's backend is away, its queues are not there to look at, and the ledger still is.
    adapter.setVisibilityGuard(() => this.isUp(queue));
    return adapter;
  }

  private isUp(queue: string): Promise<boolean> {
    const bullmq = this.drivers.find(({ name }) => name === 'bullmq')!;
    return withinTime(bullmq.depth(queue)).then(
      () => true,
      () => false,
    );
  }
}

/** A caller may read his own jobs; who runs the system sees them by their kind. */
function jobAddress(kind: string, message: unknown): string {
  const { id = '', dataref = '' } = message as { id?: string; dataref?: string };
  return boardRequest.getStore()?.isUser ? dataref : `${bullBoardPath}/queue/${kind}/${id}`;
}

const rememberWhoLooks: RequestHandler = (request, _response, next) => {
  const identity = identityOf(request);
  const [mayChange, isUser] = [mayBe(identity, ['operator']), mayBe(identity, ['user'])];
  boardRequest.run({ mayChange, isUser, by: nameOf(identity) }, next);
};
