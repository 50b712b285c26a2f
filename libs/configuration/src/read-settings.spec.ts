import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings } from './read-settings';
import { settings } from './settings';

describe('settings', () => {
  it('an empty variable is one that is not set', () => {
    expect(readSettings(['PORT', 'REDIS_URL'], { PORT: '', REDIS_URL: '' })).toEqual({
      PORT: 3000,
      REDIS_URL: undefined,
    });
  });

  it('reads what was asked for, in its type', () => {
    expect(readSettings(['PORT'], { PORT: '8080', LEASE_MS: 'nonsense' })).toEqual({ PORT: 8080 });
  });

  it('names every fault at once, with what was expected and what came', () => {
    const read = () => readSettings(['PORT', 'DATABASE_URL', 'LOG_LEVEL'], { PORT: '0', LOG_LEVEL: 'loud' });
    expect(read).toThrow('- PORT: ');
    expect(read).toThrow('got "0"');
    expect(read).toThrow('- DATABASE_URL: expected a URL that starts with postgres:// or postgresql://, got nothing');
    expect(read).toThrow('- LOG_LEVEL: ');
  });

  it('production has no fail points', () => {
    const environment = { FAIL_POINT: 'handled:3' };
    expect(readSettings(['FAIL_POINT'], environment)).toEqual({ FAIL_POINT: { at: 'handled', nth: 3 } });
    expect(() => readSettings(['FAIL_POINT'], { ...environment, NODE_ENV: 'production' })).toThrow('FAIL_POINT: ');
  });

  it('.env.example names them all, and nothing else', () => {
    const example = readFileSync(join(__dirname, '../../../.env.example'), 'utf8');
    const named = [...example.matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual(Object.keys(settings).sort());
  });
});
