import { recordEvent } from '@app/persistence';
import { eventOutbox } from '../../apps/relay/src/outbox';
import { PublishLoop } from '../../apps/relay/src/publish-loop';
import { startCore, tenant, type Core } from '../support/core';
import { hearing, plainEvent } from '../support/plain-event';
import { until } from '../support/until';

describe('events', () => {
  let core: Core | undefined;

  afterEach(async () => {
    await core?.close();
    core = undefined;
  });

  it('are told in the order in which they became true, by however many relays', async () => {
    const event = plainEvent(['ada']);
    const heard: number[] = [];
    core = await startCore([], {
      events: [hearing(event, 'ada', (group) => Promise.resolve(void heard.push(...group.map(({ data }) => data.n))))],
      relay: false,
    });
    const { pool, driver, events } = core;
    await pool.query(
      `INSERT INTO event_outbox (kind, version, tenant, key, data)
       SELECT $1, 1, 'test', 'one', jsonb_build_object('n', n, 'key', 'one') FROM generate_series(0, 2999) AS n`,
      [event.kind],
    );
    const relays = [1, 2, 3].map(() => new PublishLoop(pool, eventOutbox(driver, [event.kind]), events));
    for (const relay of relays) relay.start();
    await until(
      'all are heard',
      () => Promise.resolve(heard.length),
      (length) => length === 3_000,
    );
    expect(heard).toEqual(Array.from({ length: 3_000 }, (_, n) => n));
    await Promise.all(relays.map((relay) => relay.stop()));
  });

  it('refuse data that are not theirs, and more than a message may hold', async () => {
    const event = plainEvent(['ada']);
    core = await startCore([], { events: [hearing(event, 'ada', () => Promise.resolve())] });
    const { prisma } = core;
    const tell = (data: object) => prisma.$transaction((tx) => recordEvent(tx, event, data as never, { tenant }));
    await expect(tell({ n: 'many', key: 'one' })).rejects.toThrow('expected number');
    await expect(tell({ n: 1, key: 'x'.repeat(61 * 1024) })).rejects.toThrow(
      'expected at most 61440 bytes of data, got 62',
    );
    expect((await core.pool.query('SELECT FROM event_outbox')).rowCount).toBe(0);
  });

  it('of two tenants are two events, also where another service gives both the same source and id', async () => {
    const event = plainEvent(['ada']);
    const heard: (string | undefined)[] = [];
    core = await startCore([], {
      events: [hearing(event, 'ada', (group) => Promise.resolve(void heard.push(...group.map((each) => each.tenant))))],
    });
    const told = { specversion: '1.0', source: '/another/service', id: '1', type: `${event.kind}.v1` };
    for (const tenantOfEvent of ['shop', 'rival', 'shop']) {
      await core.broker.publishRawEvent(event.kind, { ...told, tenant: tenantOfEvent, data: { n: 1, key: 'one' } });
    }
    await core.broker.publishRawEvent(event.kind, { ...told, id: 'last', data: { n: 2, key: 'one' } });
    await until(
      'the last one is heard',
      () => Promise.resolve(heard),
      (tenants) => tenants.includes(undefined),
    );
    expect(heard).toEqual(['shop', 'rival', undefined]);
  });

  it('wait in the outbox for a broker that takes none, and hold up no job', async () => {
    const event = plainEvent(['ada']);
    const heard: number[] = [];
    core = await startCore([], {
      events: [hearing(event, 'ada', (group) => Promise.resolve(void heard.push(...group.map(({ data }) => data.n))))],
    });
    const publish = core.driver.publishEvents.bind(core.driver);
    let refusals = 0;
    core.driver.publishEvents = (messages) =>
      (refusals += 1) <= 2 ? Promise.reject(new Error('not now')) : publish(messages);
    await core.prisma.$transaction((tx) => recordEvent(tx, event, { n: 7, key: 'one' }, { tenant }));
    core.wakeUp.request('events');
    await until(
      'it is heard',
      () => Promise.resolve(heard.length),
      (length) => length === 1,
    );
    expect(refusals).toBe(3);
  });
});
