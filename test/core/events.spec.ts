import { setTimeout as delay } from 'node:timers/promises';
import { recordEvent } from '@app/ledger';
import { eventOutbox } from '../../libs/messaging/src/relay/outbox';
import { PublishLoop } from '../../libs/messaging/src/relay/publish-loop';
import { startCore, tenant, type Core } from '../support/core';
import { gate } from '../support/gate';
import { hearing, plainEvent } from '../support/plain-event';
import { until } from '../support/until';

describe('domain events', () => {
  let core: Core | undefined;

  afterEach(async () => {
    await core?.close();
    core = undefined;
  });

  it('are published in the order in which they were recorded, by any number of relays', async () => {
    const event = plainEvent(['ada']);
    const received: number[] = [];
    core = await startCore([], {
      events: [
        hearing(event, 'ada', (group) => Promise.resolve(void received.push(...group.map(({ data }) => data.n)))),
      ],
      relay: false,
    });
    const { pool, driver, signals } = core;
    await pool.query(
      `INSERT INTO event_outbox (kind, version, tenant, key, data)
       SELECT $1, 1, 'test', 'one', jsonb_build_object('n', n, 'key', 'one') FROM generate_series(0, 2999) AS n`,
      [event.kind],
    );
    // The broker is slow at the first batch: without the lock, another relay would publish the next batch first.
    const publishEvents = driver.publishEvents.bind(driver);
    jest.spyOn(driver, 'publishEvents').mockImplementationOnce(async (batch) => {
      await delay(300);
      return publishEvents(batch);
    });
    const relays = [1, 2, 3].map(() => new PublishLoop(pool, eventOutbox(driver, [event.kind]), signals));
    for (const relay of relays) relay.start();
    try {
      await until(
        'all are received',
        () => Promise.resolve(received.length),
        (length) => length === 3_000,
      );
      expect(received).toEqual(Array.from({ length: 3_000 }, (_, n) => n));
    } finally {
      await Promise.all(relays.map((relay) => relay.stop()));
    }
  });

  it('are refused when their data does not match the schema or is too large', async () => {
    const event = plainEvent(['ada']);
    core = await startCore([], { events: [hearing(event, 'ada', () => Promise.resolve())] });
    const { prisma } = core;
    const tell = (data: object) => prisma.$transaction((tx) => recordEvent(tx, event, data as never, { tenant }));
    await expect(tell({ n: 'many', key: 'one' })).rejects.toThrow('expected a number');
    await expect(tell({ n: 1, key: 'x'.repeat(61 * 1024) })).rejects.toThrow(
      'expected at most 61440 bytes of data, got 62',
    );
    expect((await core.pool.query('SELECT FROM event_outbox')).rowCount).toBe(0);
  });

  it('of two tenants are two events, even with the same source and id from another service', async () => {
    const event = plainEvent(['ada']);
    const received: (string | undefined)[] = [];
    core = await startCore([], {
      events: [
        hearing(event, 'ada', (group) => Promise.resolve(void received.push(...group.map((each) => each.tenant)))),
      ],
    });
    const foreign = { specversion: '1.0', source: '/another/service', id: '1', type: `${event.kind}.v1` };
    for (const tenantOfEvent of ['shop', 'rival', 'shop']) {
      await core.broker.publishRawEvent(event.kind, { ...foreign, tenant: tenantOfEvent, data: { n: 1, key: 'one' } });
    }
    await core.broker.publishRawEvent(event.kind, { ...foreign, id: 'last', data: { n: 2, key: 'one' } });
    await until(
      'the last one is received',
      () => Promise.resolve(received),
      (tenants) => tenants.includes(undefined),
    );
    expect(received).toEqual(['shop', 'rival', undefined]);
  });

  it('wait in the outbox while the broker refuses them', async () => {
    const event = plainEvent(['ada']);
    const received: number[] = [];
    core = await startCore([], {
      events: [
        hearing(event, 'ada', (group) => Promise.resolve(void received.push(...group.map(({ data }) => data.n)))),
      ],
    });
    const publish = core.driver.publishEvents.bind(core.driver);
    let refusals = 0;
    core.driver.publishEvents = (messages) =>
      (refusals += 1) <= 2 ? Promise.reject(new Error('not now')) : publish(messages);
    await core.prisma.$transaction((tx) => recordEvent(tx, event, { n: 7, key: 'one' }, { tenant }));
    core.wakeUp.request('events');
    await until(
      'it is received',
      () => Promise.resolve(received.length),
      (length) => length === 1,
    );
    expect(refusals).toBe(3);
  });

  it('are dead-lettered when ten processes have begun and not finished them, and the others are handled', async () => {
    const event = plainEvent(['ada']);
    const received: number[] = [];
    core = await startCore([], {
      events: [
        hearing(event, 'ada', (group) => Promise.resolve(void received.push(...group.map(({ data }) => data.n)))),
      ],
      relay: false,
    });
    const { pool } = core;
    const { rows } = await pool.query<{ id: string }>(
      `INSERT INTO event_outbox (kind, version, tenant, key, data)
       SELECT $1, 1, 'test', 'one', jsonb_build_object('n', n, 'key', 'one') FROM generate_series(0, 9) AS n
       RETURNING event_id AS id`,
      [event.kind],
    );
    const began = (id: string, processes: number) =>
      pool.query(
        `INSERT INTO begun_event (consumer, message_id, process_id)
         SELECT 'ada', $1, gen_random_uuid() FROM generate_series(1, $2::int)`,
        [id, processes],
      );
    // One process died with the whole group; then nine processes died with the fourth event alone.
    for (const { id } of rows) await began(id, 1);
    await began(rows[3]!.id, 9);
    const deadLettered = core.next('dead_lettered');
    const relay = new PublishLoop(pool, eventOutbox(core.driver, [event.kind]), core.signals);
    relay.start();
    expect((await deadLettered)[1]).toBe('killed_its_process');
    // A handler receives events before its transaction commits, which removes its rows.
    await until(
      'nothing is left begun',
      () => pool.query('SELECT FROM begun_event'),
      ({ rowCount }) => rowCount === 0,
    );
    await relay.stop();
    expect(received).toEqual([0, 1, 2, 4, 5, 6, 7, 8, 9]);
    expect((await pool.query('SELECT reason, kind FROM dead_letter')).rows).toEqual([
      { reason: 'killed_its_process', kind: event.kind },
    ]);
  });

  it('count a process once per event, however often the event is delivered to it', async () => {
    const event = plainEvent(['ada']);
    const doors = gate();
    const received: number[] = [];
    core = await startCore([], {
      events: [
        hearing(event, 'ada', async (group) => {
          await doors.passed;
          received.push(...group.map(({ data }) => data.n));
        }),
      ],
    });
    const message = {
      specversion: '1.0',
      id: 'order-4711',
      source: 'https://shop.example.com/orders',
      type: `${event.kind}.v1`,
      data: { n: 1, key: 'one' },
    };
    const handled = core.next('events_handled');
    // As when a connection is lost again and again.
    for (let time = 0; time < 30; time += 1) await core.broker.publishRawEvent(event.kind, message);
    doors.open();
    await handled;
    await until(
      'all copies are acknowledged',
      () => core!.pool.query('SELECT FROM begun_event').then(({ rowCount }) => rowCount),
      (rows) => rows === 0,
    );
    expect(received).toEqual([1]);
    expect((await core.pool.query('SELECT FROM dead_letter')).rowCount).toBe(0);
  });
});
