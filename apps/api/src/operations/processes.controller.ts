import { once, EventEmitter } from 'node:events';
import { Controller, Get, HttpCode, Injectable, Param, Post, type OnModuleDestroy } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { isReport, processActions, type SupervisedProcess, type SupervisorOrder } from '@app/observability';
import { AnyKey, Roles, Problem, quoted, ProblemResponse } from '@app/http';

/** The timeout of an order in ms. It is longer than the supervisor waits for a process to stop. */
const orderMs = 15_000;

/** The channel to the supervisor of `npm start`. `processes` is empty if the API runs without it. */
@Injectable()
export class SupervisorChannel implements OnModuleDestroy {
  processes: readonly SupervisedProcess[] = [];
  private readonly reports = new EventEmitter<{ report: [] }>();

  constructor() {
    process.on('message', this.onMessage);
  }

  /** Sends an order. Resolves when the supervisor has carried it out. @throws AbortError after 15 s without a report */
  async order(order: SupervisorOrder): Promise<void> {
    const reported = once(this.reports, 'report', { signal: AbortSignal.timeout(orderMs) });
    process.send?.(order, () => undefined);
    await reported;
  }

  onModuleDestroy(): void {
    process.off('message', this.onMessage);
  }

  private readonly onMessage = (message: unknown): void => {
    if (!isReport(message)) return;
    this.processes = message.processes;
    this.reports.emit('report');
  };
}

/** Routes that kill, stop and start processes, to show that jobs survive it. They exist only outside production. */
@ApiTags('development')
@AnyKey()
@Controller('dev/processes')
export class ProcessesController {
  constructor(private readonly supervisor: SupervisorChannel) {}

  @Get()
  @ApiOperation({ summary: 'The processes that npm start runs beside the API' })
  list(): { items: readonly SupervisedProcess[] } {
    return { items: this.supervisor.processes };
  }

  @Post(':name/:action')
  @Roles('operator')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Kill a process, stop it or start it',
    description: '`kill` is SIGKILL, after which it is started again; `stop` lets it drain, and it stays stopped.',
  })
  @ApiResponse({ status: 202, description: 'Done; the processes as they are now.' })
  @ProblemResponse(404, 'There is no such process, or no such action.')
  async act(
    @Param('name') name: string,
    @Param('action') action: string,
  ): Promise<{ items: readonly SupervisedProcess[] }> {
    const known = this.supervisor.processes.map((process) => process.name);
    const wanted = processActions.find((one) => one === action);
    if (!known.includes(name) || !wanted) {
      const expected = known.length > 0 ? known.join(', ') : 'a process of npm start, which does not run this API';
      const detail = `Expected one of ${expected} and ${processActions.join(', ')}, got ${quoted(name)} and ${quoted(action)}.`;
      throw new Problem(404, 'process_unknown', 'There is no such process', detail);
    }
    await this.supervisor.order({ name, action: wanted });
    return this.list();
  }
}
