import { onEachBackend, type Backend } from '../support/system';
import { PlainSide } from './plain-side';
import { printCrashTable, type SeenCell } from './print-crash-table';
import { ProtectedSide } from './protected-side';
import { harmOf, twice, type Effect, type Seen } from './seen';

const leaseMs = 2_000;
const sweepMs = 200;
/** BullMQ looks for the messages of the dead once a second, and not when a worker, dead since, has just looked. */
const stalledMs = 2_000;
const slackMs = 1_000;

type Range = readonly [least: number, most: number];

interface Cell {
  readonly point: string;
  readonly killed: string;
  readonly effect: Effect;
  /** Of this system, always harm `none`. */
  readonly protected: {
    readonly run: (side: ProtectedSide) => Promise<Seen>;
    /** Copies beyond one for each job, under the key of the first. */
    readonly moreCopies: Range;
    readonly recoveryMs: number;
  };
  readonly plain: {
    readonly way: string;
    readonly run: (side: PlainSide, cell: string, way: string) => Promise<Seen>;
    readonly lost: Range;
    readonly twice: Range;
  };
}

const none: Range = [0, 0];
const one: Range = [1, 1];
const byLease = leaseMs + sweepMs + slackMs;
/** Of what nobody has claimed yet. */
const byLock = leaseMs + stalledMs + slackMs;

const cells: Cell[] = [
  {
    point: 'accepted',
    killed: 'api',
    effect: 'outside',
    protected: { run: (side) => side.killApi('accepted:3'), moreCopies: none, recoveryMs: byLease },
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
    protected: { run: (side) => side.killRelay('confirmed:1'), moreCopies: none, recoveryMs: byLease },
    plain: {
      way: 'outbox, messages without an id',
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
      recoveryMs: byLock,
    },
    plain: {
      way: 'acks on receipt',
      run: (side, cell, way) => side.killWorker(cell, way),
      // All that it had acknowledged by then.
      lost: [1, 4],
      twice: none,
    },
  },
  {
    point: 'handled',
    killed: 'email-worker',
    effect: 'outside',
    // The one that it died of, and neighbours that were as far.
    protected: { run: (side) => side.killEmailWorker('handled:2'), moreCopies: [1, 5], recoveryMs: byLease },
    plain: {
      way: 'new key at every run',
      run: (side, cell, way) => side.killWorker(cell, way),
      lost: none,
      twice: one,
    },
  },
  {
    point: 'settled',
    killed: 'email-worker',
    effect: 'outside',
    // One at a time: a neighbour could be at `handled`.
    protected: { run: (side) => side.killEmailWorker('settled:2', 1), moreCopies: none, recoveryMs: byLease },
    plain: {
      way: 'marks as sent, never asks',
      run: (side, cell, way) => side.killWorker(cell, way),
      lost: none,
      twice: one,
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
      lost: [5, 5],
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
      recoveryMs: byLock,
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
      twice: one,
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
    plain = await PlainSide.start(ours.system);
  });

  afterAll(async () => {
    await plain.stop();
    await ours.stop();
  });

  it.each(cells)('$killed, $point: no harm here; the plain client ($plain.way) is harmed', async (cell) => {
    const { point, killed, effect } = cell;
    const [here, there] = await Promise.all([
      cell.protected.run(ours),
      cell.plain.run(plain, `plain-${cells.indexOf(cell)}`, cell.plain.way),
    ]);
    seen.push({ backend, point, killed, effect, way: cell.plain.way, protected: here, plain: there });

    expect({ harm: harmOf(here, effect), keys: here.keys }).toEqual({ harm: 'none', keys: here.jobs });
    within(here.copies - here.jobs, cell.protected.moreCopies);
    expect(here.recoveryMs).toBeLessThanOrEqual(cell.protected.recoveryMs);

    within(there.lost, cell.plain.lost);
    within(twice(there, effect), cell.plain.twice);
  });
});

function within(count: number, [least, most]: Range): void {
  expect(count).toBeGreaterThanOrEqual(least);
  expect(count).toBeLessThanOrEqual(most);
}
