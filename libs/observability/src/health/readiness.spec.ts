import { Readiness } from './readiness';

describe('Readiness', () => {
  let trouble: string | undefined;
  const readiness = () =>
    new Readiness(() => [
      { name: 'database', trouble: () => Promise.resolve(undefined) },
      { name: 'rabbitmq: email', trouble: () => Promise.resolve(trouble) },
    ]);

  beforeEach(() => {
    trouble = undefined;
    jest.useFakeTimers({ now: 0 });
  });

  afterEach(() => jest.useRealTimers());

  it('is starting, then up, then draining', async () => {
    const one = readiness();
    expect((await one.report()).status).toBe('starting');
    one.started();
    expect((await one.report()).status).toBe('up');
    one.drain();
    expect((await one.report()).status).toBe('draining');
  });

  it('names what is down, why, and since when it was first seen', async () => {
    const one = readiness();
    one.started();
    trouble = 'connection refused';
    await one.report();
    jest.setSystemTime(60_000);
    expect(await one.report()).toEqual({
      status: 'down',
      dependencies: [
        { name: 'database', status: 'up' },
        { name: 'rabbitmq: email', status: 'down', reason: 'connection refused', since: '1970-01-01T00:00:00.000Z' },
      ],
    });
    trouble = undefined;
    expect((await one.report()).status).toBe('up');
    trouble = 'again';
    expect((await one.report()).dependencies[1]).toMatchObject({ since: '1970-01-01T00:01:00.000Z' });
  });
});
