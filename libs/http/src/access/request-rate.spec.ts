import { RequestRate } from './request-rate';

describe('RequestRate', () => {
  /** @returns how many of `count` requests at one time are admitted */
  const admitted = (rate: RequestRate, count: number, now: number, tenant = 'acme'): number =>
    Array.from({ length: count }, () => rate.admits(tenant, now)).filter(Boolean).length;

  it('admits as many requests in a second as it is told, of each tenant', () => {
    const rate = new RequestRate(5);
    expect(admitted(rate, 7, 10_000)).toBe(5);
    expect(admitted(rate, 7, 10_999)).toBe(0);
    expect(admitted(rate, 7, 10_999, 'other')).toBe(5);
  });

  it('slides: after a burst at the end of a second, the next second begins with less', () => {
    const rate = new RequestRate(10);
    expect(admitted(rate, 10, 10_900)).toBe(10);
    expect(admitted(rate, 10, 11_100)).toBe(1);
    expect(admitted(rate, 10, 11_500)).toBe(4);
    expect(admitted(rate, 10, 11_900)).toBe(4);
  });

  it('a caller that was refused and waits for a second is admitted', () => {
    const rate = new RequestRate(1);
    expect(admitted(rate, 1, 10_999)).toBe(1);
    expect(admitted(rate, 1, 11_000)).toBe(0);
    expect(admitted(rate, 1, 12_000)).toBe(1);
  });

  it('forgets tenants that are gone', () => {
    const rate = new RequestRate(1);
    for (let n = 0; n < 100; n += 1) rate.admits(`tenant ${n}`, 10_000);
    rate.admits('acme', 60_000);
    expect(Object.values(rate).flatMap((held) => (held instanceof Map ? [...held.keys()] : []))).toEqual(['acme']);
  });
});
