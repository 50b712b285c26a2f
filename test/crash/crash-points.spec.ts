import { onEachBackend, type Backend } from '../support/system';
import { PlainSide } from './plain-side';
import { printCrashTable, type SeenCell } from './print-crash-table';
import { ProtectedSide } from './protected-side';
import { harmOf, twice, type Effect, type Seen } from './seen';

const leaseMs = 2_000;
const sweepMs = 200;
const slackMs = 1_000;
/** BullMQ looks for the messages of the dead once a second, and not when a worker, dead since, has just looked. */
const stalledMs = 2_000;
/** The shortest session that the driver asks of Kafka. */
const sessionMs = 6_000;
/** The survivors of a group learn by their next heartbeat that one is gone, and share its partitions out. */
const rejoinMs = 1_000;

/** Until a broker gives what a dead worker had in hand to another. */
const redeliveryMs: Readonly<Record<Backend, number>> = {
  'bullmq-postgres': leaseMs + stalledMs,
  'bullmq-redis': leaseMs + stalledMs,
  // At once: the connection ends with its process.
  rabbitmq: 0,
  kafka: sessionMs + rejoinMs,
};

type Limit = (backend: Backend) => number;

/** No worker has died. The relay looks into the outbox once a second, whoever wakes it. */
const byRelay: Limit = () => 1_000 + slackMs;

/** Of what nobody has claimed yet. */
const byBroker: Limit = (backend) => redeliveryMs[backend] + slackMs;

/** Whatever goes to a partition of a dead worker waits there for the next one. */
const partitionMs = (backend: Backend): number => (backend === 'kafka' ? redeliveryMs.kafka : 0);

/** Of what was claimed. A job's next dispatch has the key of the one before, and on Kafka with it the partition. */
const byLease: Limit = (backend) => Math.max(leaseMs + sweepMs, partitionMs(backend)) + slackMs;

/** Some were claimed, and some were not. */
const byBoth: Limit = (backend) => Math.max(byBroker(backend), byLease(backend));

type Range = readonly [least: number, most: number];
type Ranges = (backend: Backend) => Range;

const none: Ranges = () => [0, 0];
const one: Ranges = () => [1, 1];
/** kafkajs commits when it is through with a batch: what was done of it before comes again, too. */
const again: Ranges = (backend) => (backend === 'kafka' ? [1, 2] : [1, 1]);

interface Cell {
  readonly point: string;
  readonly killed: string;
  readonly effect: Effect;
  /** Of this system, always harm `none`. */
  readonly protected: {
    readonly run: (side: ProtectedSide) => Promise<Seen>;
    /** Copies beyond one for each job, under the key of the first. */
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
    // The one that it died of, and neighbours that were as far.
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
    // One at a time: a neighbour could be at `handled`. The ledger has it all; but the next job, which comes before the
    // death is noticed, may be given to the dead one.
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
      // More jobs than slots: what waits for one must not be acknowledged yet.
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

onEachBackend('a process killed at', (backend: Backend) => {
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

  it.each(cells)('$killed, $point: no harm here; the plain client ($plain.way) is harmed', async (cell) => {
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
  });
});

/** A side that has failed does not end the other, which would go on into the next cell. */
async function bothEnded(ours: Promise<Seen>, plain: Promise<Seen>): Promise<[Seen, Seen]> {
  await Promise.allSettled([ours, plain]);
  return Promise.all([ours, plain]);
}

function within(count: number, [least, most]: Range): void {
  expect(count).toBeGreaterThanOrEqual(least);
  expect(count).toBeLessThanOrEqual(most);
}
