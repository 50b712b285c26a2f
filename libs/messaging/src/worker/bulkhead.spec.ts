import { Bulkhead } from './bulkhead';

const waits = (bulkhead: Bulkhead) =>
  Array.from({ length: 200 }, () => bulkhead.enter('slow')).map((entered) =>
    'waitMs' in entered ? entered.waitMs : 0,
  );

describe('Bulkhead', () => {
  it('admits a limited number of entries per name, and does not limit other names', () => {
    const bulkhead = new Bulkhead(2);
    const [first, second] = [bulkhead.enter('slow'), bulkhead.enter('slow')];
    expect([first, second].every((entered) => 'leave' in entered)).toBe(true);
    expect(bulkhead.enter('slow')).toEqual({ waitMs: expect.any(Number) });
    expect('leave' in bulkhead.enter('other')).toBe(true);
    if ('leave' in first) first.leave();
    expect('leave' in bulkhead.enter('slow')).toBe(true);
  });

  it('tells a refused caller to wait longer when the running calls take long', () => {
    jest.useFakeTimers({ now: 0 });
    const bulkhead = new Bulkhead(1);
    bulkhead.enter('slow');
    const soon = waits(bulkhead);
    expect([Math.min(...soon) >= 500, Math.max(...soon) <= 1_500]).toEqual([true, true]);
    jest.advanceTimersByTime(15_000);
    const later = waits(bulkhead);
    expect([Math.max(...later) > 5_000, Math.max(...later) <= 15_500]).toEqual([true, true]);
    jest.useRealTimers();
  });

  it('tells a refused caller to wait only a short time when calls end quickly', () => {
    jest.useFakeTimers({ now: 0 });
    const bulkhead = new Bulkhead(2);
    bulkhead.enter('slow');
    jest.advanceTimersByTime(15_000);
    const quick = bulkhead.enter('slow');
    jest.advanceTimersByTime(5);
    if ('leave' in quick) quick.leave();
    bulkhead.enter('slow');
    expect(Math.max(...waits(bulkhead))).toBeLessThanOrEqual(1_500);
    jest.useRealTimers();
  });
});
