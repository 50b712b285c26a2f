import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { BullBoardModule, InjectBullBoard, type BullBoardInstance } from '@bull-board/nestjs';
import { Injectable, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import type { RequestHandler } from 'express';
import { Pool } from 'pg';
import { jobDefinitions } from '@app/contracts';
import { topologyOf } from '@app/messaging';
import { bullBoardPolicy, changesSomething, identityOf, mayBe, nameOf, type Access } from '../access';
import { Redriver } from '../operations/redriver';
import { refuseOtherActions } from './allowed-actions';
import { boardRequest } from './board-request';
import { LedgerAdapter } from './ledger-adapter';
import { LocalBoard } from './local-board';

const bullBoardPath = '/admin/queues';

/**
 * Two views of one thing. By kind: the jobs as the ledger has them, on whichever broker. By queue: the messages that
 * BullMQ holds, read-only, since one that is retried or removed there would say something else than the ledger.
 */
export function boardModules(access: Access): DynamicModule[] {
  return [
    BullBoardModule.forRoot({
      route: bullBoardPath,
      adapter: LocalBoard,
      // The board is middleware itself: no guard sees it.
      middleware: [
        access.demand((request) => [changesSomething(request) ? 'operator' : 'viewer']),
        refuseOtherActions,
        rememberWhoLooks,
        bullBoardPolicy,
      ],
      boardOptions: { uiConfig: { boardTitle: 'Queues', hideDocsLink: true } },
    }),
    BullBoardModule.forFeature(
      ...topologyOf(jobDefinitions).map(({ queue }) => ({
        name: queue,
        adapter: BullMQAdapter,
        options: {
          displayName: `BullMQ ${queue}`,
          description: `What BullMQ holds of the queue ${queue}; the ledger decides what becomes of it.`,
          readOnlyMode: true,
          allowRetries: false,
          externalJobUrl: ({ data }: { data: unknown }) => ({
            displayText: 'the job in the ledger',
            href: (data as { dataref?: string }).dataref ?? '',
          }),
        },
      })),
    ),
  ];
}

/** Puts the kinds of job beside the queues. */
@Injectable()
export class LedgerBoard implements OnModuleInit {
  constructor(
    @InjectBullBoard() private readonly board: BullBoardInstance,
    private readonly pool: Pool,
    private readonly redriver: Redriver,
  ) {}

  onModuleInit(): void {
    for (const { kind } of jobDefinitions) this.board.addQueue(new LedgerAdapter(kind, this.pool, this.redriver));
  }
}

const rememberWhoLooks: RequestHandler = (request, _response, next) => {
  const identity = identityOf(request);
  boardRequest.run({ mayChange: mayBe(identity, ['operator']), by: nameOf(identity) }, next);
};
