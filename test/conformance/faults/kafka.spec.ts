import { AssignerProtocol, ConfigResourceTypes, Kafka, KafkaJSNonRetriableError, logLevel, type Admin } from 'kafkajs';
import { done, type BrokerTopology, type Delivery, type PartlyPublished, type Worker } from '@app/messaging';
import { KafkaDriver } from '@app/messaging/kafka';
import { readQueueReaders } from '@app/ledger';
import { startCore, uniqueName, type Core } from '../../support/core';
import { gate } from '../../support/gate';
import { leakGuard } from '../../support/leaks';
import { plainJob } from '../../support/plain-job';
import { startProxy } from '../../support/proxy';
import { until } from '../../support/until';
import { kafkaHarness } from '../harness/kafka';

const broker = process.env['TEST_KAFKA_BROKERS'];

/** What only the Kafka driver has to do: groups, offsets, topics, limits, and faults of the connection. */
(broker === undefined ? describe.skip : describe)('on kafka', () => {
  const harness = kafkaHarness(broker);
  let core: Core | undefined;

  afterEach(async () => {
    await core?.close();
    core = undefined;
  });

  const count = async (state: string): Promise<number> =>
    (await core!.pool.query<{ n: number }>('SELECT count(*)::int AS n FROM job WHERE state = $1::job_state', [state]))
      .rows[0]!.n;

  it('workers that join and leave during a batch lose no job and run no job twice', async () => {
    const jobs = 1_000;
    const job = plainJob({ concurrency: 10 });
    const runs = new Map<number, number>();
    core = await startCore(
      [
        [
          job,
          async ({ payload }) => {
            const { n } = payload as { n: number };
            runs.set(n, (runs.get(n) ?? 0) + 1);
            await new Promise((resolve) => setTimeout(resolve, 20));
            return done({ n });
          },
        ],
      ],
      { harness, leaseMs: 30_000, heartbeatMs: 1_000 },
    );
    for (let n = 0; n < jobs; n += 1) await core.enqueue(job, { n });
    const others: Worker[] = [];
    for (const share of [0.2, 0.4, 0.6]) {
      await until(
        `${share} of the jobs are done`,
        () => count('completed'),
        (completed) => completed >= jobs * share,
        60_000,
      );
      others.push(await core.startWorker());
      if (others.length > 1) await others.shift()!.drain();
    }
    await until(
      'all are done',
      () => count('completed'),
      (completed) => completed === jobs,
      60_000,
    );
    expect(runs.size).toBe(jobs);
    expect([...runs.values()].filter((times) => times > 1)).toEqual([]);
    const { rowCount } = await core.pool.query(`SELECT FROM job WHERE attempt <> 1`);
    expect(rowCount).toBe(0);
    await until(
      'every offset is committed',
      () => core!.driver.depth(job.queue),
      (depth) => depth === 0,
    );
  });

  it('a worker that cannot read a topic reports the error', async () => {
    const job = plainJob();
    core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]], { harness, worker: false });
    const { pool, worker } = core;
    const kafka = new Kafka({ brokers: [broker!], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    const topic = (await admin.listTopics()).find((name) => name.endsWith(`.${job.queue}`))!;
    await admin.disconnect();
    // A member with another protocol keeps our worker out of the group.
    const metadata = AssignerProtocol.MemberMetadata.encode({ version: 1, topics: [topic], userData: Buffer.alloc(0) });
    const stranger = kafka.consumer({
      groupId: topic,
      partitionAssigners: [
        () => ({
          name: 'Other',
          version: 1,
          assign: () => Promise.resolve([]),
          protocol: () => ({ name: 'Other', metadata }),
        }),
      ],
    });
    await stranger.connect();
    await stranger.subscribe({ topics: [topic] });
    const joined = new Promise((resolve) => void stranger.on(stranger.events.GROUP_JOIN, resolve));
    await stranger.run({ eachMessage: () => Promise.resolve() });
    await joined;
    try {
      await worker.start();
      const [down] = await until(
        'it says so',
        () => readQueueReaders.run(pool),
        ([readers]) => readers?.failing === 1,
        60_000,
      );
      expect(down).toMatchObject({ broker: 'kafka', queue: job.queue, workers: 1 });
      expect(down!.trouble).toContain('protocol');
    } finally {
      await stranger.disconnect();
    }
  });

  it('a handler that runs longer than the session timeout delays no other job, and its worker stays in the group', async () => {
    const job = plainJob({ concurrency: 4 });
    const doors = gate();
    core = await startCore(
      [[job, async ({ payload }) => ((payload as { n: number }).n === 0 && (await doors.passed), done({ n: 1 }))]],
      { harness },
    );
    const claimed = core.next('claimed');
    const slow = await core.enqueue(job, { n: 0 });
    await claimed;
    const since = performance.now();
    for (let n = 1; n <= 40; n += 1) await core.enqueue(job, { n });
    await until(
      'the others are done',
      () => count('completed'),
      (completed) => completed === 40,
    );
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 8_000 - (performance.now() - since))));
    await core.enqueue(job, { n: 41 });
    await until(
      'one more, after a session time-out',
      () => count('completed'),
      (completed) => completed === 41,
      2_000,
    );
    doors.open();
    await until(
      'the slow one',
      () => core!.read(slow),
      ({ state }) => state === 'completed',
    );
    expect((await core.read(slow)).attempt).toBe(1);
  });

  it('a topic that was deleted while it is consumed is created again, and its jobs run', async () => {
    const job = plainJob();
    core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]], {
      harness,
      reconcileMs: 200,
      forgottenAfterMs: 500,
    });
    const settled = core.next('settled');
    await core.enqueue(job, { n: 0 });
    await settled;
    await (core.broker as unknown as { deleteTopic(queue: string): Promise<void> }).deleteTopic(job.queue);
    for (let n = 1; n <= 20; n += 1) await core.enqueue(job, { n });
    await until(
      'all are done',
      () => count('completed'),
      (completed) => completed === 21,
      60_000,
    );
  });

  describe('the driver', () => {
    const queue = 'work';
    let assertNothingLeft: () => Promise<void>;

    beforeEach(() => {
      assertNothingLeft = leakGuard();
    });

    function driver(
      address: string,
      { prefix = `${uniqueName()}-${process.pid}.`, events = [] as BrokerTopology['events'] } = {},
    ): KafkaDriver {
      const topology = { queues: [{ queue, concurrency: 5, rateLimit: undefined, partitions: 2 }], events };
      return new KafkaDriver({ brokers: [address], prefix, leaseMs: 2_000 }, 'test', topology);
    }

    const message = (n: number) => ({
      id: `019e0000-0000-7000-8000-${String(n).padStart(12, '0')}`,
      dispatch: 1,
      kind: 'work.do',
      version: 1,
      queue,
      priority: 2,
      orderKey: null,
      at: new Date(),
      traceparent: null,
    });

    it('replaces a consumer that crashed for good, and receives its unfinished messages again', async () => {
      const worker = driver(broker!);
      const taken: string[] = [];
      let crashes = 0;
      await worker.subscribe(queue, ({ body }) => {
        // kafkajs stops the consumer at an error of this kind and reports it only in an event.
        if ((crashes += 1) === 1) throw new KafkaJSNonRetriableError('it ends here');
        taken.push((JSON.parse(String(body)) as { id: string }).id);
        return Promise.resolve();
      });
      await worker.publish([message(1), message(2), message(3)]);
      await until(
        'all three have come',
        () => Promise.resolve(new Set(taken).size),
        (size) => size === 3,
      );
      await until(
        'all three are committed',
        () => worker.depth(queue),
        (depth) => depth === 0,
      );
      await worker.close();
      await assertNothingLeft();
    });

    it('publishes as soon as Kafka is reached, after its first connection has failed', async () => {
      const proxy = await startProxy(Number(broker!.split(':')[1]));
      proxy.cut();
      const publisher = driver(`127.0.0.1:${proxy.port}`);
      await expect(publisher.ready()).rejects.toThrow();
      proxy.restore();
      await publisher.publish([message(1)]);
      await publisher.close();
      await proxy.close();
      await assertNothingLeft();
    });

    it('commits the offsets of messages that finish together in one request', async () => {
      const worker = driver(broker!);
      let taken = 0;
      await worker.subscribe(queue, () => Promise.resolve(void (taken += 1)));
      await worker.ready();
      const [{ consumer }] = (worker as unknown as { consumers: [{ consumer: { on(...args: unknown[]): void } }] })
        .consumers;
      let commits = 0;
      consumer.on('consumer.commit_offsets', () => (commits += 1));
      for (let first = 0; first < 1_000; first += 500) {
        await worker.publish(Array.from({ length: 500 }, (_, n) => message(first + n)));
      }
      await until(
        'all are committed',
        () => worker.depth(queue),
        (depth) => depth === 0,
      );
      expect(taken).toBe(1_000);
      expect(commits).toBeGreaterThan(0);
      expect(commits).toBeLessThan(100);
      await worker.close();
      await assertNothingLeft();
    });

    /** Runs the work with plain kafkajs, as an operator does. */
    async function asOperator<Result>(work: (admin: Admin) => Promise<Result>): Promise<Result> {
      const admin = new Kafka({ brokers: [broker!], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      try {
        return await work(admin);
      } finally {
        await admin.disconnect();
      }
    }

    const setOnTopic = (topic: string, settings: Record<string, string>) =>
      asOperator((admin) =>
        admin.alterConfigs({
          validateOnly: false,
          resources: [
            {
              type: ConfigResourceTypes.TOPIC,
              name: topic,
              configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
            },
          ],
        }),
      );

    const event = { kind: 'work.happened', partitions: 2, subscribers: [] };

    const eventOf = (n: number, bytes: number) => ({
      id: `019e0000-0000-7000-8000-${String(n).padStart(12, '0')}`,
      kind: event.kind,
      version: 1,
      tenant: 'test',
      key: null,
      at: new Date(),
      traceparent: null,
      data: 'x'.repeat(bytes),
    });

    async function written(topic: string): Promise<number> {
      const offsets = await asOperator((admin) => admin.fetchTopicOffsets(topic));
      return offsets.reduce((sum, { offset }) => sum + Number(offset), 0);
    }

    it('splits a publish that is larger than Kafka accepts into several batches, each message once', async () => {
      const prefix = `${uniqueName()}-${process.pid}.`;
      const publisher = driver(broker!, { prefix, events: [event] });
      await publisher.publishEvents(Array.from({ length: 150 }, (_, n) => eventOf(n, 30_000)));
      expect(await written(`${prefix}${event.kind}`)).toBe(150);
      await publisher.close();
      await assertNothingLeft();
    });

    it('names the message that Kafka refuses, and writes the other messages once', async () => {
      const prefix = `${uniqueName()}-${process.pid}.`;
      const publisher = driver(broker!, { prefix, events: [event] });
      await publisher.ready();
      await setOnTopic(`${prefix}${event.kind}`, { 'max.message.bytes': '10000' });
      const events = Array.from({ length: 20 }, (_, n) => eventOf(n, n === 7 ? 20_000 : 1_000));
      const refused = await publisher.publishEvents(events).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'partly_published', cause: undefined });
      expect([...(refused as PartlyPublished).refused.keys()]).toEqual([7]);
      expect((refused as PartlyPublished).confirmed.size).toBe(19);
      expect(await written(`${prefix}${event.kind}`)).toBe(19);
      await publisher.close();
      await assertNothingLeft();
    });

    it('sets topics to store records uncompressed, and keeps the other settings of a topic', async () => {
      const prefix = `${uniqueName()}-${process.pid}.`;
      const topic = `${prefix}${queue}`;
      const configEntries = [
        { name: 'compression.type', value: 'lz4' },
        { name: 'retention.ms', value: '123456789' },
      ];
      await asOperator((admin) => admin.createTopics({ topics: [{ topic, configEntries }], waitForLeaders: true }));
      const worker = driver(broker!, { prefix });
      const taken: Delivery[] = [];
      await worker.subscribe(queue, (delivery) => Promise.resolve(void taken.push(delivery)));
      await worker.ready();
      const { resources } = await asOperator((admin) =>
        admin.describeConfigs({
          includeSynonyms: false,
          resources: [
            { type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['compression.type', 'retention.ms'] },
          ],
        }),
      );
      const settings = Object.fromEntries(
        resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]),
      );
      expect(settings).toEqual({ 'compression.type': 'uncompressed', 'retention.ms': '123456789' });
      await worker.close();
      await assertNothingLeft();
    });

    it.each(['lz4', 'snappy', 'zstd'])(
      'delivers a record that is compressed with %s as unreadable with its position, and reads on behind it',
      async (codec) => {
        const prefix = `${uniqueName()}-${process.pid}.`;
        const topic = `${prefix}${queue}`;
        const worker = driver(broker!, { prefix });
        await worker.ready();
        const taken: Delivery[] = [];
        await worker.subscribe(queue, (delivery) => Promise.resolve(void taken.push(delivery)));
        let published = 0;
        /** Kafka applies a topic setting some time after it has confirmed it. */
        const publishUntil = async (what: string, isThere: (delivery: Delivery) => boolean) => {
          for (let found = false; !found; found = isThere(taken.at(-1)!)) {
            // Two messages at once make one batch whose records have an offset each.
            await worker.publish([1, 2].map((n) => ({ ...message(published + n), orderKey: 'one' })));
            published += 2;
            await until(
              `${what} has come, and is committed`,
              async () => [taken.length, await worker.depth(queue)],
              ([length, depth]) => length === published && depth === 0,
            );
          }
        };
        await setOnTopic(topic, { 'compression.type': codec });
        await publishUntil(`what is stored with ${codec}`, ({ unreadable }) => unreadable !== undefined);
        await setOnTopic(topic, { 'compression.type': 'uncompressed' });
        await publishUntil('what is stored as it is', ({ unreadable }) => unreadable === undefined);
        const bad = [...taken.entries()].filter(([, { unreadable }]) => unreadable !== undefined);
        expect(bad.length).toBeGreaterThanOrEqual(2);
        for (const [offset, { unreadable }] of bad) {
          expect(unreadable).toMatch(
            new RegExp(`topic "${topic}", partition \\d, offset ${offset}\\): ${codec} compression`, 'i'),
          );
        }
        await worker.close();
        await assertNothingLeft();
      },
    );

    it('rejects a publish to an unreachable Kafka within its deadline with a typed error, and publishes when Kafka is back', async () => {
      const proxy = await startProxy(Number(broker!.split(':')[1]));
      proxy.cut();
      const publisher = driver(`127.0.0.1:${proxy.port}`);
      for (let n = 0; n < 3; n += 1) {
        const startedAt = performance.now();
        await expect(publisher.publish([message(n)])).rejects.toMatchObject({ code: 'broker_unavailable' });
        expect(performance.now() - startedAt).toBeLessThan(5_000);
      }
      proxy.restore();
      await until(
        'it is published',
        () =>
          publisher.publish([message(4)]).then(
            () => true,
            () => false,
          ),
        (isPublished) => isPublished,
      );
      expect(await publisher.depth(queue)).toBe(1);
      await publisher.close();
      await proxy.close();
      await assertNothingLeft();
    });
  });
});
