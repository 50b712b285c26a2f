import { Drain } from './drain';

describe('Drain', () => {
  it('ends every wait when it begins, and lets none begin afterwards', async () => {
    const drain = new Drain();
    const heard: string[] = [];
    drain.onBegin(() => heard.push('before'));
    const waits = Array.from({ length: 30 }, () => drain.sleep(60_000));
    drain.begin();
    await Promise.all(waits);
    await drain.sleep(60_000);
    drain.onBegin(() => heard.push('after'));
    expect([drain.hasBegun, heard]).toEqual([true, ['before', 'after']]);
  });

  it('lets a wait end by itself', async () => {
    const drain = new Drain();
    await drain.sleep(1);
    expect(drain.hasBegun).toBe(false);
  });
});
