import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { BullBoardModule } from '@bull-board/nestjs';
import type { DynamicModule } from '@nestjs/common';
import { jobDefinitions } from '@app/contracts';
import { topologyOf } from '@app/messaging';
import { bullBoardPolicy, changesSomething, type Access } from '../access';
import { LocalBoard } from './local-board';

const bullBoardPath = '/admin/queues';

/**
 * BullMQ's own queues, to look at. Read-only: a message that is retried or removed here would say something else
 * than the ledger.
 */
export function bullBoardModules(access: Access): DynamicModule[] {
  return [
    BullBoardModule.forRoot({
      route: bullBoardPath,
      adapter: LocalBoard,
      // The board is middleware itself: no guard sees it.
      middleware: [access.demand((request) => [changesSomething(request) ? 'operator' : 'viewer']), bullBoardPolicy],
      boardOptions: { uiConfig: { boardTitle: 'Queues' } },
    }),
    BullBoardModule.forFeature(
      ...topologyOf(jobDefinitions).map(({ queue }) => ({
        name: queue,
        adapter: BullMQAdapter,
        options: {
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
