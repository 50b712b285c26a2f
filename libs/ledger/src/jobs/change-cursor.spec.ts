import { ChangeCursor } from './change-cursor';

const cursorOf = (text: string): ChangeCursor => ChangeCursor.parse(text)!;

describe('ChangeCursor', () => {
  it.each(['1:1:', '10:20:', '10:20:10,14,15', '10:20:12,19'])('reads %s, as PostgreSQL does', (text) => {
    expect(ChangeCursor.parse(text)).toBeDefined();
  });

  it.each([
    '',
    '5',
    '0:5:',
    '9:5:',
    '1:5:9',
    '1:5:5',
    '10:20:15,14',
    '10:20:9',
    '1:99999999999999999999:',
    '1:5:2,',
    'a:b:',
  ])('refuses %p, as PostgreSQL does', (text) => {
    expect(ChangeCursor.parse(text)).toBeUndefined();
  });

  it('is written as it was read, without transactions that change nothing', () => {
    expect(cursorOf('10:20:10,14').toString()).toBe('10:20:10,14');
    expect(cursorOf('10:20:').toString()).toBe('20:20:');
  });

  it('moved back to before a transaction, still covers all earlier transactions', () => {
    const cursor = cursorOf('10:20:10,14,15');
    expect(cursor.below(15n).toString()).toBe('10:15:10,14');
    expect(cursor.below(12n).toString()).toBe('10:12:10');
    expect(cursor.below(10n).toString()).toBe('10:10:');
    expect(cursor.below(25n)).toBe(cursor);
  });

  it('is written as the position before the oldest running transaction when too many are running', () => {
    const running = Array.from({ length: 21 }, (_, index) => 100 + index * 2);
    expect(cursorOf(`100:200:${running.join()}`).toString()).toBe('100:100:');
  });

  it('compares two cursors', () => {
    expect(cursorOf('10:21:').isAheadOf(cursorOf('10:20:'))).toBe(true);
    expect(cursorOf('10:20:').isAheadOf(cursorOf('10:20:12'))).toBe(false);
  });
});
