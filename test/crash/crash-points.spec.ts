import { onEachBackend, type Backend } from '../support/system';
import { PlainSide } from './plain-side';
import { printCrashTable, type SeenCell } from './print-crash-table';
import { ProtectedSide } from './protected-side';
import { harmOf, twice, type Effect, type Seen } from './seen';

const leaseMs = 2_000;
const sweepMs = 200;
// The limits exclude a job that waits for ever; the table shows the time. A busy machine stalls for seconds.
const slackMs = 5_000;
/**
 * The upper limit of the time until BullMQ finds a message of a dead worker after its lock has expired. With this lease
 * it looks every 250 ms. The rest leaves time for a busy machine.
 */
const stalledMs = 2_000;
/** The shortest session time-out that the driver requests from Kafka. */
const sessionMs = 6_000;
/** The other members of a group learn by their next heartbeat that one has left, and share its partitions. */
const rejoinMs = 1_000;

/** The time until a broker redelivers the messages of a dead worker. */
const redeliveryMs: Readonly<Record<Backend, number>> = {
  'bullmq-postgres': leaseMs + stalledMs,
  'bullmq-redis': leaseMs + stalledMs,
  // At once: the connection ends with its process.
  rabbitmq: 0,
  kafka: sessionMs + rejoinMs,
};

type Limit = (backend: Backend) => number;

/** For cells without a dead worker. The relay looks into the outbox once a second, even without a wake-up. */
const byRelay: Limit = () => 1_000 + slackMs;

/** For jobs that no worker has claimed. */
const byBroker: Limit = (backend) => redeliveryMs[backend] + slackMs;

/** How long a partition of a dead worker waits until another member of the group gets it. Only Kafka has partitions. */
const partitionMs = (backend: Backend): number => (backend === 'kafka' ? redeliveryMs.kafka : 0);

/** For claimed jobs. The next dispatch of a job has the same key as the last one, and on Kafka the same partition. */
const byLease: Limit = (backend) => Math.max(leaseMs + sweepMs, partitionMs(backend)) + slackMs;

/** For cells where some jobs were claimed and some were not. */
const byBoth: Limit = (backend) => Math.max(byBroker(backend), byLease(backend));

type Range = readonly [least: number, most: number];
type Ranges = (backend: Backend) => Range;

const none: Ranges = () => [0, 0];
const one: Ranges = () => [1, 1];
/** kafkajs commits at the end of a batch: messages that it had handled in the batch are delivered again, too. */
const again: Ranges = (backend) => (backend === 'kafka' ? [1, 2] : [1, 1]);

interface Cell {
  readonly point: string;
  readonly killed: string;
  readonly effect: Effect;
  /** This system. Its harm is always `none`. */
  readonly protected: {
    readonly run: (side: ProtectedSide) => Promise<Seen>;
    /** Copies in addition to one per job, with the key of the first. */
    readonly moreCopies: Ranges;
    readonly recoveryMs: Limit;
  };
  readonly plain: {
    readonly way: string;
    readonly run: (side: PlainSide, cell: string, way: string) => Promise<Seen>;
    readonly lost: Ranges;
    readonly twice: Ranges;
  };
}

const cells: Cell[] = [
  {
    point: 'accepted',
    killed: 'api',
    effect: 'outside',
    protected: { run: (side) => side.killApi('accepted:3'), moreCopies: none, recoveryMs: byRelay },
    plain: {
      way: 'commits, then publishes',
      run: (side, cell) => side.killApi(cell),
      lost: one,
      twice: none,
    },
  },
  {
    point: 'confirmed',
    killed: 'relay',
    effect: 'outside',
    protected: { run: (side) => side.killRelay('confirmed:1'), moreCopies: none, recoveryMs: byRelay },
    plain: {
      way: 'outbox, new id at every publish',
      run: (side, cell) => side.killRelay(cell),
      lost: none,
      twice: one,
    },
  },
  {
    point: 'received',
    killed: 'email-worker',
    effect: 'outside',
    protected: {
      run: (side) => side.killEmailWorker('received:1'),
      moreCopies: none,
      recoveryMs: byBroker,
    },
    plain: {
      way: 'acks on receipt',
      run: (side, cell, way) => side.killWorker(cell, way),
      // All that it had acknowledged by then.
      lost: () => [1, 4],
      twice: none,
    },
  },
  {
    point: 'handled',
    killed: 'email-worker',
    effect: 'outside',
    // The job at which the worker died, and other jobs that were at the same point.
    protected: { run: (side) => side.killEmailWorker('handled:2'), moreCopies: () => [1, 5], recoveryMs: byLease },
    plain: {
      way: 'new key at every run',
      run: (side, cell, way) => side.killWorker(cell, way),
      lost: none,
      twice: again,
    },
  },
  {
    point: 'settled',
    killed: 'email-worker',
    effect: 'outside',
    // One job at a time, because another job could be at `handled`. The ledger has the whole result. But the next job,
    // enqueued before the death is noticed, may be given to the dead worker.
    protected: { run: (side) => side.killEmailWorker('settled:2', 1), moreCopies: none, recoveryMs: byBroker },
    plain: {
      way: 'marks as sent, never asks',
      run: (side, cell, way) => side.killWorker(cell, way),
      lost: none,
      twice: again,
    },
  },
  {
    point: 'draining',
    killed: 'email-worker',
    effect: 'outside',
    protected: { run: (side) => side.killDraining(), moreCopies: none, recoveryMs: byLease },
    plain: {
      way: 'acks on receipt, slow mail server',
      run: (side, cell, way) => side.stopWorker(cell, way),
      lost: () => [5, 5],
      twice: none,
    },
  },
  {
    point: 'received',
    killed: 'own-database worker',
    effect: 'own database',
    protected: {
      // More jobs than slots: a message that waits for a slot must not be acknowledged yet.
      run: (side) => side.killOnlyOwnDatabaseWorker('received:12', 20),
      moreCopies: none,
      recoveryMs: byBoth,
    },
    plain: {
      way: 'dedupe row, then the effect',
      run: (side, cell, way) => side.killWorker(cell, way),
      lost: one,
      twice: none,
    },
  },
  {
    point: 'inside the transaction',
    killed: 'own-database worker',
    effect: 'own database',
    protected: {
      run: (side) => side.killOwnDatabaseWorker({ DIE_AT: '2' }),
      moreCopies: none,
      recoveryMs: byLease,
    },
    plain: {
      way: 'effect, then the dedupe row',
      run: (side, cell, way) => side.killWorker(cell, way),
      lost: none,
      twice: one,
    },
  },
  {
    point: 'handled',
    killed: 'own-database worker',
    effect: 'own database',
    protected: {
      run: (side) => side.killOwnDatabaseWorker({ FAIL_POINT: 'handled:2' }),
      moreCopies: none,
      recoveryMs: byLease,
    },
    plain: {
      way: 'no dedupe row',
      run: (side, cell, way) => side.killWorker(cell, way),
      lost: none,
      twice: again,
    },
  },
];

const seen: SeenCell[] = [];

afterAll(() => printCrashTable(seen));

onEachBackend('a killed process:', (backend: Backend) => {
  let ours: ProtectedSide;
  let plain: PlainSide;

  beforeAll(async () => {
    ours = await ProtectedSide.start(backend);
    plain = await PlainSide.start(ours.system, backend);
  });

  afterAll(async () => {
    await plain.stop();
    await ours.stop();
  });

  it.each(cells)(
    '$killed at $point harms no job here; the plain client ($plain.way) loses or doubles one',
    async (cell) => {
      const { point, killed, effect } = cell;
      const [here, there] = await bothEnded(
        cell.protected.run(ours),
        cell.plain.run(plain, `plain-${cells.indexOf(cell)}`, cell.plain.way),
      );
      seen.push({ backend, point, killed, effect, way: cell.plain.way, protected: here, plain: there });

      expect({ harm: harmOf(here, effect), keys: here.keys }).toEqual({ harm: 'none', keys: here.jobs });
      within(here.copies - here.jobs, cell.protected.moreCopies(backend));
      expect(here.recoveryMs).toBeLessThanOrEqual(cell.protected.recoveryMs(backend));

      within(there.lost, cell.plain.lost(backend));
      within(twice(there, effect), cell.plain.twice(backend));
    },
  );
});

/** When one side fails, the other side still runs to its end, so that it does not disturb the next cell. */
async function bothEnded(ours: Promise<Seen>, plain: Promise<Seen>): Promise<[Seen, Seen]> {
  await Promise.allSettled([ours, plain]);
  return Promise.all([ours, plain]);
}

function within(count: number, [least, most]: Range): void {
  expect(count).toBeGreaterThanOrEqual(least);
  expect(count).toBeLessThanOrEqual(most);
}
