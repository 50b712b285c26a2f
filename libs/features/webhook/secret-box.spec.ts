import { SecretBox, SecretUnreadable } from './secret-box';

describe('sealed secrets', () => {
  const box = new SecretBox('a key of some length, for this test');

  it('open for their owner, and are not readable before', () => {
    const sealed = box.seal('whsec_secret', 'ada');
    expect(sealed.toString('latin1')).not.toContain('secret');
    expect(box.open(sealed, 'ada')).toBe('whsec_secret');
    expect(box.open(new Uint8Array(sealed), 'ada')).toBe('whsec_secret');
  });

  it('are different each time', () => expect(box.seal('x', 'ada')).not.toEqual(box.seal('x', 'ada')));

  it('do not open for another owner, with another key, or changed', () => {
    const sealed = box.seal('whsec_secret', 'ada');
    expect(() => box.open(sealed, 'bob')).toThrow(SecretUnreadable);
    expect(() => new SecretBox('another key').open(sealed, 'ada')).toThrow('WEBHOOK_SECRETS_KEY');
    sealed[sealed.length - 1]! ^= 1;
    expect(() => box.open(sealed, 'ada')).toThrow(SecretUnreadable);
    expect(() => box.open(Buffer.alloc(3), 'ada')).toThrow(SecretUnreadable);
  });
});
