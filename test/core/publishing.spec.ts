import { done, PartlyPublished, type BrokerDriver, type EventMessage, type JobMessage } from '@app/messaging';
import { recordEvent } from '@app/ledger';
import { eventOutbox, jobOutbox } from '../../libs/messaging/src/relay/outbox';
import { PublishLoop } from '../../libs/messaging/src/relay/publish-loop';
import { startCore, tenant, type Core } from '../support/core';
import { hearing, plainEvent } from '../support/plain-event';
import { plainJob } from '../support/plain-job';
import { until } from '../support/until';

describe('the relay, when the broker confirms only a part of a batch,', () => {
  let core: Core | undefined;

  afterEach(async () => {
    await core?.close();
    core = undefined;
  });

  const count = async (table: string): Promise<number> =>
    (await core!.pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`)).rows[0]!.n;

  /** A broker that accepts a batch without the messages that `refuse` matches. */
  function refusing<Message>(
    publish: (messages: readonly Message[]) => Promise<void>,
    sent: Message[],
    refuse: (message: Message) => boolean,
  ) {
    return async (messages: readonly Message[]): Promise<void> => {
      const places = [...messages.keys()];
      const good = places.filter((place) => !refuse(messages[place]!));
      const taken = good.map((place) => messages[place]!);
      sent.push(...taken);
      await publish(taken);
      if (good.length === messages.length) return;
      const refused = places
        .filter((place) => !good.includes(place))
        .map((place) => [place, 'it is too large'] as const);
      throw new PartlyPublished('memory', new Set(good), new Map(refused), undefined);
    };
  }

  it('fails the job of a refused message at once, and publishes the other messages once', async () => {
    const job = plainJob();
    core = await startCore([[job, ({ payload }) => Promise.resolve(done(payload as { n: number }))]], { relay: false });
    const ids = await Promise.all([0, 1, 2].map((n) => core!.enqueue(job, { n })));
    const sent: JobMessage[] = [];
    const refused = core.next('message_refused');
    const driver = core.driver as { publish: BrokerDriver['publish'] };
    driver.publish = refusing(driver.publish.bind(core.driver), sent, ({ id }) => id === ids[1]);
    const loop = new PublishLoop(core.pool, jobOutbox(core.driver), core.signals);
    loop.start();
    expect(await refused).toEqual(['memory', ids[1], 'it is too large']);
    const jobs = await until(
      'the neighbours are done',
      () => Promise.all(ids.map((id) => core!.read(id))),
      ([first, , last]) => first!.state === 'completed' && last!.state === 'completed',
    );
    await loop.stop();
    expect(jobs[1]).toMatchObject({
      state: 'failed',
      attempt: 0,
      error: { code: 'message_refused', message: 'it is too large' },
    });
    const { rows } = await core.pool.query('SELECT job_id, broker, tenant, reason, detail FROM dead_letter');
    expect(rows).toEqual([
      { job_id: ids[1], broker: 'memory', tenant, reason: 'message_refused', detail: 'it is too large' },
    ]);
    expect(sent.map(({ id }) => id).sort()).toEqual([ids[0], ids[2]].sort());
    expect(await count('outbox')).toBe(0);
  });

  it('dead-letters a refused event with its bytes, and publishes the other events once', async () => {
    const event = plainEvent(['ada']);
    const received: number[] = [];
    core = await startCore([], {
      events: [
        hearing(event, 'ada', (group) => Promise.resolve(void received.push(...group.map(({ data }) => data.n)))),
      ],
      relay: false,
    });
    await core.prisma.$transaction(async (tx) => {
      for (const n of [0, 1, 2]) await recordEvent(tx, event, { n, key: 'one' }, { tenant });
    });
    const sent: EventMessage[] = [];
    const driver = core.driver as { publishEvents: BrokerDriver['publishEvents'] };
    driver.publishEvents = refusing(
      driver.publishEvents.bind(core.driver),
      sent,
      ({ data }) => (data as { n: number }).n === 1,
    );
    const loop = new PublishLoop(core.pool, eventOutbox(core.driver, [event.kind]), core.signals);
    loop.start();
    await until(
      'the neighbours are received',
      () => Promise.resolve(received.length),
      (length) => length === 2,
    );
    await until(
      'the outbox is empty',
      () => count('event_outbox'),
      (rows) => rows === 0,
    );
    await loop.stop();
    const { rows } = await core.pool.query<{ raw: Buffer }>('SELECT queue, tenant, kind, reason, raw FROM dead_letter');
    expect(rows).toMatchObject([{ queue: event.kind, tenant, kind: event.kind, reason: 'message_refused' }]);
    expect(JSON.parse(rows[0]!.raw.toString())).toMatchObject({ type: `${event.kind}.v1`, data: { n: 1, key: 'one' } });
    expect([received, sent.length]).toEqual([[0, 2], 2]);
  });

  it('deletes the outbox rows of confirmed messages, and publishes the rest again', async () => {
    const job = plainJob();
    core = await startCore([[job, ({ payload }) => Promise.resolve(done(payload as { n: number }))]], { relay: false });
    const ids = await Promise.all([0, 1, 2].map((n) => core!.enqueue(job, { n })));
    const publish = core.driver.publish.bind(core.driver);
    const sent: string[] = [];
    core.driver.publish = async (messages) => {
      const [first] = messages;
      await publish([first!]);
      sent.push(first!.id);
      if (messages.length > 1) throw new PartlyPublished('memory', new Set([0]), new Map(), new Error('it went away'));
    };
    const failed = core.next('publish_failed');
    const loop = new PublishLoop(core.pool, jobOutbox(core.driver), core.signals);
    loop.start();
    expect((await failed)[1]).toEqual(new Error('it went away'));
    await until(
      'all are published',
      () => count('outbox'),
      (rows) => rows === 0,
    );
    await loop.stop();
    expect(sent.sort()).toEqual(ids.sort());
  });
});
