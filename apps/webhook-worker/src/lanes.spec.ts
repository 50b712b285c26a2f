import { Lanes } from './lanes';

describe('lanes', () => {
  it('let so many in at once to one endpoint, and others beside them', () => {
    const lanes = new Lanes(2);
    const [first, second] = [lanes.enter('slow'), lanes.enter('slow')];
    expect([first, second].every((entered) => 'leave' in entered)).toBe(true);
    expect(lanes.enter('slow')).toEqual({ waitMs: expect.any(Number) });
    expect('leave' in lanes.enter('other')).toBe(true);
    if ('leave' in first) first.leave();
    expect('leave' in lanes.enter('slow')).toBe(true);
  });

  it('keep those who are turned away for longer, the slower the endpoint is', () => {
    jest.useFakeTimers({ now: 0 });
    const lanes = new Lanes(1);
    lanes.enter('slow');
    const waits = () =>
      Array.from({ length: 200 }, () => lanes.enter('slow')).map((entered) =>
        'waitMs' in entered ? entered.waitMs : 0,
      );
    const soon = waits();
    expect([Math.min(...soon) >= 500, Math.max(...soon) <= 1_500]).toEqual([true, true]);
    jest.advanceTimersByTime(15_000);
    const later = waits();
    expect([Math.max(...later) > 5_000, Math.max(...later) <= 15_500]).toEqual([true, true]);
    jest.useRealTimers();
  });
});
