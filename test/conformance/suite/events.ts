import { z } from 'zod';
import { jobFinished, type EventDefinition } from '@app/contracts';
import { done, encodeEvent, fail, replayFaults, subscriberQueue } from '@app/messaging';
import { cancelJob, recordEvent } from '@app/ledger';
import { strictBytes } from '../../support/broker-under-test';
import { tenant, type Core } from '../../support/core';
import { gate } from '../../support/gate';
import { hearing, plainEvent } from '../../support/plain-event';
import { plainJob } from '../../support/plain-job';
import { until } from '../../support/until';
import type { Suite } from '../conformance';

/** Domain events for their subscribers. */
export function events({ harness, scenario, start }: Suite): void {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

  async function record(core: Core, event: ReturnType<typeof plainEvent>, numbers: readonly number[], keys = 1) {
    await core.prisma.$transaction(async (tx) => {
      for (const n of numbers) await recordEvent(tx, event, { n, key: `key ${n % keys}` }, { tenant, traceparent });
    });
    core.wakeUp.request('events');
  }

  const received = (what: string, list: readonly unknown[], count: number) =>
    until(
      what,
      () => Promise.resolve(list.length),
      (length) => length >= count,
    );

  const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

  scenario('broadcasts', async () => {
    const event = plainEvent(['ada', 'bob', 'eve']);
    const lists: Record<string, number[]> = { ada: [], bob: [], eve: [] };
    const core = await start([], {
      events: event.subscribers.map((name) =>
        hearing(event, name, (group) => Promise.resolve(void lists[name]!.push(...group.map(({ data }) => data.n)))),
      ),
    });
    await record(core, event, numbers(20));
    for (const name of event.subscribers) {
      await received(`${name} has received all events`, lists[name]!, 20);
      expect(lists[name]!.sort((a, b) => a - b)).toEqual(numbers(20));
    }
    await until(
      'the event outbox is empty',
      async () => (await core.pool.query('SELECT FROM event_outbox')).rowCount,
      (rows) => rows === 0,
    );
  });

  scenario('does-not-tell-what-was-rolled-back', async () => {
    const event = plainEvent(['ada']);
    const list: number[] = [];
    const core = await start([], {
      events: [hearing(event, 'ada', (group) => Promise.resolve(void list.push(...group.map(({ data }) => data.n))))],
    });
    await core.prisma
      .$transaction(async (tx) => {
        await recordEvent(tx, event, { n: 1, key: 'key' }, { tenant });
        throw new Error('it did not happen');
      })
      .catch(() => undefined);
    await record(core, event, [2]);
    await received('the recorded event', list, 1);
    expect(list).toEqual([2]);
  });

  scenario('hears-what-came-while-it-was-away', async () => {
    const event = plainEvent(['ada']);
    const list: number[] = [];
    const core = await start([], {
      events: [hearing(event, 'ada', (group) => Promise.resolve(void list.push(...group.map(({ data }) => data.n))))],
      worker: false,
    });
    const published = core.next('published');
    await record(core, event, numbers(5));
    await published;
    await core.worker.start();
    await received('all five', list, 5);
    expect(list.sort()).toEqual(numbers(5));
  });

  scenario('handles-an-event-once', async () => {
    const event = plainEvent(['ada', 'bob']);
    const lists: Record<string, string[]> = { ada: [], bob: [] };
    const core = await start([], {
      events: event.subscribers.map((name) =>
        hearing(event, name, (group) => Promise.resolve(void lists[name]!.push(...group.map(({ id }) => id)))),
      ),
    });
    const message = {
      id: '019e0000-0000-7000-8000-000000000001',
      kind: event.kind,
      version: 1,
      tenant,
      key: 'key',
      at: new Date(),
      traceparent,
      data: { n: 1, key: 'key' },
    };
    let came = 0; // Counts each delivered copy when its transaction is committed.
    core.signals.on('events_handled', (_kind, _subscriber, _fresh, together) => (came += together));
    await core.driver.publishEvents([message, { ...message, id: '019e0000-0000-7000-8000-000000000002' }]);
    await received('both', lists['ada']!, 2);
    // Publishes the event again, as a relay does that died before it deleted the row, when no broker deduplicates it
    // any more.
    await core.broker.publishRawEvent(event.kind, encodeEvent(message));
    await core.driver.publishEvents([{ ...message, id: '019e0000-0000-7000-8000-000000000003' }]);
    for (const name of event.subscribers) await received('the third', lists[name]!, 3);
    await until(
      'every copy has come',
      () => Promise.resolve(came),
      (count) => count >= 8,
    );
    for (const name of event.subscribers) {
      expect(new Set(lists[name]).size).toBe(3);
      expect(lists[name]).toHaveLength(3);
    }
    const { rows } = await core.pool.query(
      'SELECT consumer, count(*)::int AS n FROM processed_message GROUP BY 1 ORDER BY 1',
    );
    expect(rows).toEqual([
      { consumer: 'ada', n: 3 },
      { consumer: 'bob', n: 3 },
    ]);
  });

  scenario('handles-events-in-one-transaction', async () => {
    const event = plainEvent(['ada']);
    const doors = gate();
    const groups: number[] = [];
    let broken = true;
    const core = await start([], {
      events: [
        hearing(event, 'ada', async (group, tx) => {
          await doors.passed;
          groups.push(group.length);
          for (const { id } of group) await tx.$executeRaw`INSERT INTO handled (id) VALUES (${id}::uuid)`;
          if (broken && group.length > 1) {
            broken = false;
            throw new Error('at the very end');
          }
        }),
      ],
      worker: false,
    });
    await core.pool.query('CREATE TABLE handled (id uuid NOT NULL)');
    await record(core, event, numbers(30));
    await core.worker.start();
    doors.open();
    await until(
      'all events are handled',
      async () => (await core.pool.query('SELECT FROM handled')).rowCount,
      (rows) => rows === 30,
    );
    // A transaction that was rolled back leaves nothing: neither a second effect nor a second dedupe row.
    expect((await core.pool.query('SELECT DISTINCT id FROM handled')).rowCount).toBe(30);
    expect((await core.pool.query('SELECT FROM processed_message')).rowCount).toBe(30);
    expect(Math.max(...groups)).toBeGreaterThan(1);
  });

  scenario('a-subscriber-that-fails-is-alone', async () => {
    const event = plainEvent(['ada', 'bob']);
    const lists: Record<string, number[]> = { ada: [], bob: [] };
    const core = await start([], {
      events: event.subscribers.map((name) =>
        hearing(event, name, (group) => {
          if (name === 'bob' && group.some(({ data }) => data.n === 2)) return Promise.reject(new Error('not two'));
          lists[name]!.push(...group.map(({ data }) => data.n));
          return Promise.resolve();
        }),
      ),
    });
    const setAside = core.next('dead_lettered');
    await record(core, event, numbers(5));
    await received('ada receives all events', lists['ada']!, 5);
    expect((await setAside)[1]).toBe('attempts_exhausted');
    await received('bob receives the others', lists['bob']!, 4);
    expect(lists['bob']!.sort()).toEqual([0, 1, 3, 4]);
    const { rows } = await core.pool.query<{ queue: string; kind: string; detail: string; raw: Buffer }>(
      'SELECT queue, kind, detail, raw FROM dead_letter',
    );
    expect(rows).toMatchObject([
      { queue: subscriberQueue(event.kind, 'bob'), kind: event.kind, detail: 'Attempt 3 of 3: not two' },
    ]);
    expect(JSON.parse(rows[0]!.raw.toString('utf8'))).toMatchObject({ data: { n: 2 }, source: '/node-message-queue' });
  });

  scenario('sets-aside-an-event-it-cannot-read', async () => {
    const event = plainEvent(['ada']);
    const list: string[] = [];
    const core = await start([], {
      events: [hearing(event, 'ada', (group) => Promise.resolve(void list.push(...group.map(({ id }) => id))))],
    });
    const foreign = { specversion: '1.0', id: '4711', source: 'https://shop.example.com', type: `${event.kind}.v1` };
    const reasons: string[] = [];
    core.signals.on('dead_lettered', (_, reason) => reasons.push(reason));
    await core.broker.publishRawEvent(event.kind, { hello: 'world' });
    await core.broker.publishRawEvent(event.kind, { ...foreign, data: { n: 'many' } });
    await core.broker.publishRawEvent(event.kind, { ...foreign, type: 'no.such.v1' });
    // A readable event of another service is handled like any other.
    for (let copy = 0; copy < 3; copy += 1) {
      await core.broker.publishRawEvent(event.kind, { ...foreign, data: { n: 1, key: 'key' } });
    }
    await received('all events that cannot be read', reasons, 3);
    await received('the event that can be read', list, 1);
    expect(reasons.sort()).toEqual(['malformed', 'payload_invalid', 'unknown_kind']);
    expect(list).toHaveLength(1);
    expect(
      (await core.pool.query('SELECT FROM dead_letter WHERE queue = $1', [subscriberQueue(event.kind, 'ada')]))
        .rowCount,
    ).toBe(3);
  });

  scenario('sets-aside-what-the-broker-refuses', async () => {
    const [count, large] = [10, 6];
    const event = {
      ...plainEvent(['ada']),
      data: z.strictObject({ n: z.int(), text: z.string() }),
      key: undefined,
    } satisfies EventDefinition;
    const list: number[] = [];
    const core = await start([], {
      ...(harness.strict && { harness: harness.strict }),
      events: [hearing(event, 'ada', (group) => Promise.resolve(void list.push(...group.map(({ data }) => data.n))))],
    });
    let came = 0; // Counts each delivered copy when its transaction is committed.
    core.signals.on('events_handled', (_kind, _subscriber, _fresh, together) => (came += together));
    await core.prisma.$transaction(async (tx) => {
      for (const n of numbers(count)) {
        await recordEvent(tx, event, { n, text: 'x'.repeat(n === large ? strictBytes : 1) }, { tenant });
      }
    });
    core.wakeUp.request('events');
    // On a broker that accepts every message, the large event is handled like any other.
    const taken = numbers(count + 1).filter((n) => n !== large || !harness.strict);
    await received('the events that the broker accepts', list, taken.length - 1);
    await until(
      'the event outbox is empty',
      async () => (await core.pool.query('SELECT FROM event_outbox')).rowCount,
      (left) => left === 0,
    );
    const { rows } = await core.pool.query<{ reason: string; raw: Buffer }>('SELECT reason, raw FROM dead_letter');
    expect(rows.map(({ reason }) => reason)).toEqual(harness.strict ? ['message_refused'] : []);
    for (const { raw } of rows) expect(JSON.parse(raw.toString())).toMatchObject({ data: { n: large } });
    // A message that was published twice arrives before a message that is published now.
    await core.prisma.$transaction((tx) => recordEvent(tx, event, { n: count, text: 'last' }, { tenant }));
    core.wakeUp.request('events');
    await until(
      'the last one is handled',
      () => Promise.resolve(came),
      (copies) => copies >= taken.length,
    );
    expect(list.sort((a, b) => a - b)).toEqual(taken);
    expect(came).toBe(taken.length);
  });

  scenario('keeps-events-in-order-per-key', async () => {
    const event = plainEvent(['ada']);
    const list: { n: number; key: string }[] = [];
    const core = await start([], {
      events: [hearing(event, 'ada', (group) => Promise.resolve(void list.push(...group.map(({ data }) => data))))],
    });
    for (let first = 0; first < 300; first += 100) {
      await record(
        core,
        event,
        numbers(100).map((n) => first + n),
        7,
      );
    }
    await received('all', list, 300);
    if (harness.capabilities.eventOrder === 'none') {
      expect(new Set(list.map(({ n }) => n)).size).toBe(300);
      return;
    }
    for (const key of new Set(list.map((one) => one.key))) {
      const ofKey = list.filter((one) => one.key === key).map(({ n }) => n);
      expect(ofKey).toEqual([...ofKey].sort((a, b) => a - b));
    }
  });

  scenario('replays', async () => {
    const [event, list, later] = [plainEvent(['search', 'search@2', 'search@3']), [] as number[], [] as number[]];
    const nobody = () => Promise.resolve();
    if (harness.capabilities.replay === 'none') {
      const driver = { name: 'memory', capabilities: harness.capabilities } as const;
      const subscription = { event, subscriber: 'search@2', from: new Date(0) };
      expect(replayFaults(subscription, driver)).toEqual([expect.stringContaining('begins in the past')]);
      expect(replayFaults({ event, subscriber: 'search' }, driver)).toEqual([]);
      return;
    }
    let first = 0;
    const core = await start([], {
      events: [hearing(event, 'search', (group) => ((first += group.length), nobody()))],
    });
    await record(core, event, numbers(10));
    await until(
      'the first ten',
      () => Promise.resolve(first),
      (count) => count === 10,
    );
    const { rows } = await core.pool.query<{ now: Date }>('SELECT now() AS now');
    await record(
      core,
      event,
      numbers(5).map((n) => 100 + n),
    );
    await until(
      'five more',
      () => Promise.resolve(first),
      (count) => count === 15,
    );

    // Two new subscriber names: one starts at the beginning, the other at a point in time.
    await core.startWorker([
      hearing(event, 'search@2', (group) => Promise.resolve(void list.push(...group.map(({ data }) => data.n)))),
      hearing(
        event,
        'search@3',
        (group) => Promise.resolve(void later.push(...group.map(({ data }) => data.n))),
        rows[0]!.now,
      ),
    ]);
    await received('everything again', list, 15);
    await received('the later events', later, 5);
    expect(list.sort((a, b) => a - b)).toEqual([...numbers(10), 100, 101, 102, 103, 104]);
    expect(later.sort()).toEqual([100, 101, 102, 103, 104]);
    expect(first).toBe(15);
  });

  scenario('tells-of-finished-jobs', async () => {
    const [good, bad, slow] = [plainJob(), plainJob(), plainJob()];
    const list: { kind: string; state: string; error: { code: string } | null }[] = [];
    const core = await start(
      [
        [good, () => Promise.resolve(done({ n: 1 }))],
        [bad, () => Promise.resolve(fail('no'))],
        [slow, () => Promise.reject(new Error('once more'))],
      ],
      {
        events: [
          hearing(jobFinished, 'test', (group) => Promise.resolve(void list.push(...group.map(({ data }) => data)))),
        ],
      },
    );
    await core.enqueue(good, { n: 1 });
    await core.enqueue(bad, { n: 1 });
    const waits = await core.enqueue(slow, { n: 1 }, { delayMs: 3_600_000 });
    expect(await cancelJob(core.pool, tenant, waits)).toBe('queued');
    await received('three ends', list, 3);
    expect(list).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: good.kind, state: 'completed', error: null }),
        expect.objectContaining({
          kind: bad.kind,
          state: 'failed',
          error: { code: 'refused_by_handler', message: 'no' },
        }),
        expect.objectContaining({ kind: slow.kind, state: 'cancelled', id: waits }),
      ]),
    );
  });
}
