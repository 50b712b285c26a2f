import { Bulkhead } from './bulkhead';

const waits = (bulkhead: Bulkhead) =>
  Array.from({ length: 200 }, () => bulkhead.enter('slow')).map((entered) =>
    'waitMs' in entered ? entered.waitMs : 0,
  );

describe('Bulkhead', () => {
  it('lets so many in at once under one name, and others beside them', () => {
    const bulkhead = new Bulkhead(2);
    const [first, second] = [bulkhead.enter('slow'), bulkhead.enter('slow')];
    expect([first, second].every((entered) => 'leave' in entered)).toBe(true);
    expect(bulkhead.enter('slow')).toEqual({ waitMs: expect.any(Number) });
    expect('leave' in bulkhead.enter('other')).toBe(true);
    if ('leave' in first) first.leave();
    expect('leave' in bulkhead.enter('slow')).toBe(true);
  });

  it('sends away for longer, the slower those are that are in', () => {
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

  it('sends away for a short time while others leave quickly beside one that stays', () => {
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
