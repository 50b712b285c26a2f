import { SecretBox, SecretUnreadable } from './secret-box';

describe('a sealed secret', () => {
  const box = new SecretBox('a key of some length, for this test');

  it('is opened for its owner, and is unreadable while sealed', () => {
    const sealed = box.seal('whsec_secret', 'ada');
    expect(sealed.toString('latin1')).not.toContain('secret');
    expect(box.open(sealed, 'ada')).toBe('whsec_secret');
    expect(box.open(new Uint8Array(sealed), 'ada')).toBe('whsec_secret');
  });

  it('is different each time', () => expect(box.seal('x', 'ada')).not.toEqual(box.seal('x', 'ada')));

  it('is not opened for another owner, with another key, or after a change', () => {
    const sealed = box.seal('whsec_secret', 'ada');
    expect(() => box.open(sealed, 'bob')).toThrow(SecretUnreadable);
    expect(() => new SecretBox('another key').open(sealed, 'ada')).toThrow('WEBHOOK_SECRETS_KEY');
    sealed[sealed.length - 1]! ^= 1;
    expect(() => box.open(sealed, 'ada')).toThrow(SecretUnreadable);
    expect(() => box.open(Buffer.alloc(3), 'ada')).toThrow(SecretUnreadable);
  });
});
