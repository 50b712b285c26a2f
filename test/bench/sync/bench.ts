import { v7 as uuidv7 } from 'uuid';
import { productChanged } from '@app/features/product';
import type { EventMessage } from '@app/messaging';
import { withDriver } from '../drain/driver';
import { foundDrivers, type BenchDriver } from '../drain/drivers';
import type { DrainReport } from '../drain/finish-line';
import { BenchProcess } from '../measuring/bench-process';
import { startMeter, type Cost } from '../measuring/meter';
import { onStage, type Stage } from '../measuring/stage';
import { printTable, shownRatio, shownSpread } from '../measuring/table';
import { inTurns } from '../measuring/turns';

type Contender = 'in groups' | 'one by one' | 'kafkajs by hand';

interface Turn extends DrainReport {
  readonly changes: number;
  readonly cost: Cost;
}

/** The slow contender gets fewer changes. */
const oneByOnePart = 10;
const warmUpPart = 0.2;
const batchSize = 500;
/** How often each product is changed. */
const changesOfEach = 10;

const contenders: Readonly<Record<Contender, { process: string; environment: NodeJS.ProcessEnv }>> = {
  'in groups': { process: 'search-subscriber', environment: { BENCH_GROUP: '200' } },
  'one by one': { process: 'search-subscriber', environment: { BENCH_GROUP: '1' } },
  'kafkajs by hand': { process: 'hand-written-search', environment: {} },
};

/** Writes a topic full of changes into the search model with one process. */
export async function benchSync({ repeats, changes }: { repeats: number; changes: number }): Promise<void> {
  const [driver] = foundDrivers('kafka');
  const turnOf = (contender: Contender, count: number) => () => syncTurn(driver!, contender, count);
  const turns = await inTurns<Contender, Turn>(repeats, {
    'kafkajs by hand': turnOf('kafkajs by hand', changes),
    'one by one': turnOf('one by one', Math.ceil(changes / oneByOnePart)),
    'in groups': turnOf('in groups', changes),
  });
  process.stdout.write(`\nsync: changes of products into the search model; ${repeats} turns of ${changes}; fsync on\n`);
  printTable([
    ['', 'changes/s', 'statements/change', 'commits/change', 'CPU s/1000 changes'],
    ...Object.entries(turns).map(([name, of]) => [
      name,
      shownSpread(
        of.map(({ jobsPerSecond }) => jobsPerSecond),
        0,
      ),
      shownSpread(
        of.map(({ cost, changes: count }) => cost.statements / count),
        3,
      ),
      shownSpread(
        of.map(({ cost, changes: count }) => cost.writes / count),
        3,
      ),
      shownSpread(
        of.map(({ cost, changes: count }) => cost.cpuSeconds && (cost.cpuSeconds / count) * 1_000),
        2,
      ),
    ]),
  ]);
  const perSecond = (name: Contender) => turns[name].map(({ jobsPerSecond }) => jobsPerSecond);
  process.stdout.write('\n');
  printTable([
    ['ratio of one turn', ''],
    ['in groups / one by one', shownRatio(perSecond('in groups'), perSecond('one by one'))],
    ['in groups / kafkajs by hand', shownRatio(perSecond('in groups'), perSecond('kafkajs by hand'))],
  ]);
  process.stdout.write(
    '  in every turn the model had every product in its last version, and each event was noted once\n',
  );
}

function syncTurn(driver: BenchDriver, contender: Contender, changes: number): Promise<Turn> {
  return onStage(driver, [productChanged.kind], async (stage) => {
    await fill(stage, changes);
    await stage.pool.query('VACUUM ANALYZE');
    const { process: script, environment } = contenders[contender];
    return BenchProcess.during(script, { ...stage.environment, ...environment }, async (child) => {
      const stop = await startMeter(stage.pool);
      const reported = child.message<DrainReport>();
      child.send({ jobs: changes, warmUp: Math.ceil(changes * warmUpPart) });
      const report = await reported;
      const cost = await stop();
      await assertModel(stage, changes);
      return { ...report, changes, cost };
    });
  });
}

async function fill(stage: Stage, changes: number): Promise<void> {
  const events = Array.from({ length: changes }, (_, n) => aChange(n, Math.ceil(changes / changesOfEach)));
  await withDriver(stage, { queues: [], events: [productChanged] }, async (driver) => {
    for (let n = 0; n < events.length; n += batchSize) await driver.publishEvents(events.slice(n, n + batchSize));
  });
}

function aChange(n: number, products: number): EventMessage {
  const sku = `product-${n % products}`;
  const at = new Date();
  const data = {
    sku,
    name: `Product ${n % products}, changed`,
    description: 'Some words that say what it is, what it is made of, and for whom it was made.',
    priceCents: n,
    version: Math.floor(n / products) + 1,
    updatedAt: at.toISOString(),
    changedBy: 'bench',
  };
  const { kind, version } = productChanged;
  return { id: uuidv7(), kind, version, tenant: 'bench', key: sku, at, traceparent: null, data };
}

/** @throws Error unless the model has the last version of every product, and each event was recorded once */
async function assertModel({ pool }: Stage, changes: number): Promise<void> {
  const products = Math.ceil(changes / changesOfEach);
  const { rows } = await pool.query<Record<string, number>>(
    `SELECT (SELECT count(*)::int FROM product_search) AS products,
            (SELECT sum(version)::int FROM product_search) AS versions,
            (SELECT count(*)::int FROM processed_message) AS processed`,
  );
  const expected = { products, versions: changes, processed: changes };
  if (JSON.stringify(rows[0]) !== JSON.stringify(expected)) {
    throw new Error(`Expected ${JSON.stringify(expected)} in the model, found ${JSON.stringify(rows[0])}.`);
  }
}
