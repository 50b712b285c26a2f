import type { ExternalJobUrl, JobCounts, JobStatus, QueueJob } from '@bull-board/api/typings/app';
import type { Queue } from 'bullmq';
import { jobDefinitions } from '@app/features/catalogue';
import type { BullmqMessages, QueueMessage } from '@app/messaging';
import { withBrokerTimeout } from '../operations/with-broker-timeout';
import { BoardAdapter, pageOf, refuse, type SharedReads } from './board-adapter';
import { boardRequest } from './board-request';

export const bullBoardPath = '/admin/queues';

const statuses = ['active', 'waiting', 'waiting-children', 'prioritized', 'completed', 'failed', 'delayed'] as const;

type Shown = (typeof statuses)[number];

const kinds: ReadonlySet<string> = new Set(jobDefinitions.map(({ kind }) => kind));

const kindsOf = (queue: string): string =>
  jobDefinitions
    .filter((definition) => definition.queue === queue)
    .map(({ kind }) => kind)
    .join(', ');

/** The id of our messages: the id of the job and the number of the dispatch. */
const dispatched = /^(?<id>[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})-(?<dispatch>\d+)$/;

/**
 * Shows the messages in one queue of BullMQ, read-only. The queue may also hold messages of other services with their
 * payloads. So the adapter shows the id, the state, times and numbers of a message. It shows the name only if it is one of
 * our kinds.
 */
export class MessageAdapter extends BoardAdapter<Shown> {
  constructor(
    private readonly queue: Queue,
    private readonly messages: BullmqMessages,
    private readonly reads: SharedReads,
  ) {
    super(queue.name, statuses, {
      displayName: `${queue.name} (messages in BullMQ)`,
      description: `Messages, not jobs: what BullMQ holds in its queue "${queue.name}", read-only. A message says which job is to run. The jobs are in the rows ${kindsOf(queue.name)}. Here, completed means that a worker has handled the message, not that the job is completed.`,
      readOnlyMode: true,
      allowRetries: false,
      externalJobUrl: ({ id, name }) => {
        const jobId = dispatched.exec(String(id))?.groups?.['id'];
        const link = jobId &&
          kinds.has(name) && { displayText: 'the job in the ledger', href: jobAddress(name, jobId) };
        // Bull Board accepts undefined and shows no link, although its types require one.
        return (link || undefined) as ExternalJobUrl;
      },
    });
    // While BullMQ's backend is down, the board hides its queues and still shows the ledger.
    this.setVisibilityGuard(() =>
      this.getJobCounts().then(
        () => true,
        () => false,
      ),
    );
  }

  getJobCounts(): Promise<JobCounts> {
    return this.reads.get(`counts of ${this.queue.name}`, async () => {
      const counts = await withBrokerTimeout(this.queue.getJobCounts(...statuses));
      return Object.fromEntries(statuses.map((status) => [status, counts[status] ?? 0]));
    });
  }

  async getJobs(wanted: JobStatus[], start = 0, end = 9): Promise<QueueJob[]> {
    const { offset, limit } = pageOf(start, end);
    if (limit === 0 || offset > Number.MAX_SAFE_INTEGER - limit) return [];
    const states = wanted.filter((status): status is Shown => (statuses as readonly string[]).includes(status));
    const found = await this.reads.get(`${this.queue.name} ${states.join()} ${offset} ${limit}`, () =>
      withBrokerTimeout(this.messages.list(this.queue, states, offset, offset + limit - 1)),
    );
    return found.map((message) => this.toQueueJob(message));
  }

  async getJob(id: string): Promise<QueueJob | undefined> {
    const message = await withBrokerTimeout(this.messages.find(this.queue, id));
    return message && this.toQueueJob(message);
  }

  /** BullMQ's logs of a message are texts of its handler, and our handler writes none. */
  getJobLogs(): Promise<string[]> {
    return Promise.resolve([]);
  }

  private toQueueJob(message: QueueMessage): QueueJob {
    const { id, name, bytes, addedAt, startedAt, finishedAt, delayMs, priority, attempts, hasFailed } = message;
    const { id: jobId, dispatch } = dispatched.exec(id)?.groups ?? {};
    return {
      opts: {},
      toJSON: () => ({
        id,
        name: name !== undefined && kinds.has(name) ? name : 'of another service',
        progress: 0,
        attemptsMade: attempts,
        timestamp: addedAt,
        ...(startedAt !== undefined && { processedOn: startedAt }),
        ...(finishedAt !== undefined && { finishedOn: finishedAt }),
        delay: delayMs,
        failedReason: hasFailed ? 'BullMQ has given up on this message.' : '',
        stacktrace: null,
        data: { bytes, ...(jobId !== undefined && { job: jobId, dispatch: Number(dispatch) }) },
        returnvalue: null,
        opts: { priority },
      }),
      getState: () => this.queue.getJobState(id),
      retry: refuse,
      remove: refuse,
      promote: refuse,
    };
  }
}

/** Returns the link to a job: its API route for a user, its page on the board for an operator or a viewer. */
function jobAddress(kind: string, jobId: string): string {
  return boardRequest.getStore()?.isUser ? `/v1/jobs/${jobId}` : `${bullBoardPath}/queue/${kind}/${jobId}`;
}
