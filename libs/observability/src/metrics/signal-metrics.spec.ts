import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import type { ClaimedJob } from '@app/ledger';
import { MessagingSignals, type Settled } from '@app/messaging';
import { countSignals } from './signal-metrics';

const at = (second: number) => new Date(second * 1_000);
const job = { kind: 'fax.send', broker: 'rabbitmq', createdAt: at(0), runAt: at(10), startedAt: at(12) } as ClaimedJob;

describe('the metrics of the signals', () => {
  let signals: MessagingSignals;
  let registry: Registry;

  beforeEach(() => {
    signals = new MessagingSignals();
    registry = new Registry();
    countSignals(signals, registry);
  });

  const settle = (settled: Partial<Settled>) =>
    signals.emit(
      'settled',
      job,
      { delayMs: 0, attemptChange: 0, error: undefined, state: 'queued', ...settled },
      3_000,
    );

  async function seriesOf(name: string): Promise<unknown> {
    const { values } = await registry.getSingleMetric(name)!.get();
    return values.map(({ labels, value }) => [...Object.values(labels), value]);
  }

  it.each<[string, Partial<Settled>]>([
    ['completed', { state: 'completed' }],
    ['failed', { state: 'failed' }],
    ['cancelled', { state: 'cancelled' }],
    ['retried', { state: 'queued' }],
    ['returned', { state: 'queued', attemptChange: -1 }],
  ])('count an attempt that ended as %s', async (outcome, settled) => {
    settle(settled);
    expect(await seriesOf('jobs_ended_total')).toEqual([['fax.send', 'rabbitmq', outcome, 1]]);
  });

  it('measure from due to start, from start to end, and from acceptance to the final state', async () => {
    signals.emit('claimed', job);
    settle({ state: 'queued' });
    settle({ state: 'completed' });
    const text = await registry.metrics();
    const of = '{kind="fax.send",broker="rabbitmq"}';
    expect(text).toContain(`job_schedule_to_start_seconds_sum${of} 2\n`);
    expect(text).toContain(`job_run_seconds_sum${of} 6\n`);
    expect(text).toContain(`job_end_to_end_seconds_sum${of} 15\n`);
    expect(text).toContain(`job_end_to_end_seconds_count${of} 1\n`);
  });

  it('count child jobs', async () => {
    signals.emit('children_accepted', [job, job]);
    expect(await seriesOf('jobs_enqueued_total')).toEqual([['fax.send', 'rabbitmq', 2]]);
  });

  it('count events that were handled before apart from new ones', async () => {
    signals.emit('events_handled', 'product.changed', 'search', 3, 5);
    expect(await seriesOf('events_handled_total')).toEqual([['product.changed', 'search', 3]]);
    expect(await seriesOf('events_repeated_total')).toEqual([['product.changed', 'search', 2]]);
  });
});

describe('docs/metrics.md', () => {
  it('has a row for each metric, with its labels', () => {
    const registry = new Registry();
    countSignals(new MessagingSignals(), registry);
    const page = readFileSync(join(__dirname, '../../../../docs/metrics.md'), 'utf8');
    for (const { name, labelNames } of registry.getMetricsAsArray() as unknown as {
      name: string;
      labelNames: string[];
    }[]) {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\``));
      expect([name, row?.split('|')[2]?.trim()]).toEqual([name, labelNames.join(', ')]);
    }
  });
});
