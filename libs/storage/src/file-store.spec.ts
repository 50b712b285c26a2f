import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { startS3Server, type S3Server } from '../../../test/support/s3-server';
import { InvalidFileKey } from './file-key';
import { LocalFileStore } from './local-file-store';
import type { FileStore } from './file-store';
import { fileStoreOf } from './configured-file-store';
import { S3FileStore } from './s3-file-store';

const csv = { contentType: 'text/csv' };
/** Larger than two parts of a multipart upload to S3. */
const large = Buffer.alloc(13 * 1024 * 1024, 'large ');

/** What every file store has to do. */
function conformance(store: () => FileStore): void {
  const read = async (key: string) => {
    const file = await store().open(key);
    return file && { ...file, stream: (await buffer(file.stream)).toString() };
  };

  it('returns the stored content, from a buffer and from a stream', async () => {
    expect(await store().put('a/buffer.csv', Buffer.from('a,b\n'), csv)).toEqual({ bytes: 4 });
    expect(await read('a/buffer.csv')).toEqual({ stream: 'a,b\n', bytes: 4, contentType: 'text/csv' });
    const stream = Readable.from(['你,好\n', Buffer.from('c,d\n')]);
    expect(await store().put('a/stream.csv', stream, csv)).toEqual({ bytes: 12 });
    expect(await read('a/stream.csv')).toMatchObject({ stream: '你,好\nc,d\n', bytes: 12 });
  });

  it('stores an empty file and a file of many parts', async () => {
    expect(await store().put('a/empty.csv', Readable.from([]), csv)).toEqual({ bytes: 0 });
    expect(await read('a/empty.csv')).toMatchObject({ stream: '', bytes: 0 });
    const chunks = Array.from({ length: 13 }, (_, n) => large.subarray(n * 1024 * 1024, (n + 1) * 1024 * 1024));
    expect(await store().put('a/large.csv', Readable.from(chunks), csv)).toEqual({ bytes: large.length });
    const { stream } = (await store().open('a/large.csv'))!;
    expect((await buffer(stream)).equals(large)).toBe(true);
  });

  it('returns a range and the size of the whole file', async () => {
    await store().put('a/range.csv', Buffer.from('0123456789'), csv);
    const { stream, bytes } = (await store().open('a/range.csv', { start: 2, end: 4 }))!;
    expect([(await buffer(stream)).toString(), bytes]).toEqual(['234', 10]);
  });

  it('returns undefined for an unknown file, and removes an unknown file without an error', async () => {
    expect(await store().open('a/nobody.csv')).toBeUndefined();
    expect(await store().open('a/buffer.csv/x.csv')).toBeUndefined();
    await store().remove('a/nobody.csv');
    await store().removeAll('nobody/');
  });

  it('replaces a file as a whole', async () => {
    await store().put('a/again.csv', Buffer.from('the first, longer one'), csv);
    await store().put('a/again.csv', Buffer.from('second'), csv);
    expect(await read('a/again.csv')).toMatchObject({ stream: 'second', bytes: 6 });
  });

  it('keeps the old file when a write fails or is aborted', async () => {
    await store().put('b/kept.csv', Buffer.from('kept'), csv);
    const failing = Readable.from(
      (function* () {
        yield large;
        throw new Error('the source is gone');
      })(),
    );
    await expect(store().put('b/kept.csv', failing, csv)).rejects.toThrow('the source is gone');
    const stopped = new AbortController();
    const endless = Readable.from(
      (async function* () {
        for (;;) {
          yield large.subarray(0, 1024 * 1024);
          await delay(1);
        }
      })(),
    );
    const put = store().put('b/kept.csv', endless, { ...csv, signal: stopped.signal });
    setTimeout(() => stopped.abort(new Error('cancelled')), 100);
    await expect(put).rejects.toThrow('cancelled');
    expect(endless.destroyed).toBe(true);
    expect(await read('b/kept.csv')).toMatchObject({ stream: 'kept' });
    await expect(store().put('b/no.csv', Buffer.from('no'), { ...csv, signal: AbortSignal.abort() })).rejects.toThrow();
    expect(await store().open('b/no.csv')).toBeUndefined();
  });

  it('removes one file, and all files with a prefix', async () => {
    for (const key of ['c/1/a.csv', 'c/1/b/c.csv', 'c/2/a.csv']) await store().put(key, Buffer.from(key), csv);
    await store().removeAll('c/1/');
    expect([await read('c/1/a.csv'), await read('c/1/b/c.csv')]).toEqual([undefined, undefined]);
    await store().remove('c/2/a.csv');
    expect(await read('c/2/a.csv')).toBeUndefined();
  });

  it.each([
    '',
    '/etc/passwd.csv',
    '../out.csv',
    'a/../../out.csv',
    'a/..',
    'a//b.csv',
    'a/.hidden.csv',
    '.unfinished/a.csv',
    'a\\..\\out.csv',
    'C:/out.csv',
    'a/b\0.csv',
    'a/%2e%2e/out.csv',
    'a/',
    `${'a/'.repeat(8)}b.csv`,
    `${'a'.repeat(201)}.csv`,
  ])('refuses the key %j', async (key) => {
    await expect(store().put(key, Buffer.from(''), csv)).rejects.toThrow(InvalidFileKey);
    await expect(store().open(key)).rejects.toThrow(InvalidFileKey);
    await expect(store().remove(key)).rejects.toThrow(InvalidFileKey);
  });

  it('refuses a prefix that matches everything, and a content type that differs from the extension', async () => {
    for (const prefix of ['', '/', '../', 'a', 'a/../']) {
      await expect(store().removeAll(prefix)).rejects.toThrow(InvalidFileKey);
    }
    await expect(store().put('a/page.html', Buffer.from(''), csv)).rejects.toThrow('an extension of text/csv');
  });

  it('passes its own check', () => store().check());
}

describe('a file store in a folder', () => {
  let folder: string;
  let store: LocalFileStore;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'files-'));
    store = new LocalFileStore(join(folder, 'files'));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  conformance(() => store);

  const unfinished = () => readdirSync(join(folder, 'files/.unfinished'));

  it('leaves no unfinished file and no empty folder', async () => {
    expect(unfinished()).toEqual([]);
    await store.put('d/1/a.csv', Buffer.from('a'), csv);
    await store.remove('d/1/a.csv');
    expect(readdirSync(join(folder, 'files'))).not.toContain('d');
  });

  it('keeps a file that is written while the last file beside it is removed', async () => {
    for (let n = 0; n < 100; n += 1) {
      await store.put('busy/old.csv', Buffer.from('old'), csv);
      await Promise.all([store.remove('busy/old.csv'), store.put('busy/new.csv', Buffer.from('new'), csv)]);
      expect(await store.open('busy/new.csv').then((file) => file?.stream.destroy() && file.bytes)).toBe(3);
      await store.remove('busy/new.csv');
    }
  });

  it('follows no symbolic link out of the folder', async () => {
    mkdirSync(join(folder, 'files'), { recursive: true });
    mkdirSync(join(folder, 'outside'));
    writeFileSync(join(folder, 'outside/secret.csv'), 'secret');
    symlinkSync(join(folder, 'outside'), join(folder, 'files/link'));
    symlinkSync(join(folder, 'outside/secret.csv'), join(folder, 'files/secret.csv'));
    for (const key of ['link/secret.csv', 'secret.csv']) await expect(store.open(key)).rejects.toThrow(InvalidFileKey);
    await expect(store.put('link/new.csv', Buffer.from(''), csv)).rejects.toThrow(InvalidFileKey);
    await expect(store.removeAll('link/')).rejects.toThrow(InvalidFileKey);
    expect(readdirSync(join(folder, 'outside'))).toEqual(['secret.csv']);
  });

  it('removes what a killed writer has left unfinished', async () => {
    const path = join(folder, 'files/.unfinished');
    for (const name of ['abandoned', 'fresh']) writeFileSync(join(path, name), '');
    const longAgo = new Date(Date.now() - 2 * 60 * 60 * 1_000);
    utimesSync(join(path, 'abandoned'), longAgo, longAgo);
    await new LocalFileStore(join(folder, 'files')).put('e/a.csv', Buffer.from(''), csv);
    expect(unfinished()).toEqual(['fresh']);
  });

  describe('with a fault', () => {
    it.each(['occupied', 'occupied/below'])(
      'says what is wrong and destroys the source stream when its folder (%s) is or is below a file',
      async (name) => {
        writeFileSync(join(folder, 'occupied'), '');
        const content = Readable.from(['a']);
        const put = new LocalFileStore(join(folder, name)).put('a/b.csv', content, csv);
        await expect(put).rejects.toMatchObject({
          code: 'storage_unavailable',
          message: 'The file could not be stored (ENOTDIR: not a directory, mkdir). Look at STORAGE_DIR.',
        });
        expect(content.destroyed).toBe(true);
        // A later error of the stream does not end the process.
        content.emit('error', new Error('too late'));
      },
    );

    it('rejects when the source stream has failed before it is read', async () => {
      const content = Readable.from(['a']);
      const put = new LocalFileStore(folder).put('f/early.csv', content, csv);
      content.destroy(new Error('the table is gone'));
      await expect(put).rejects.toThrow('the table is gone');
    });

    it('says so when a folder has the name of the file', async () => {
      mkdirSync(join(folder, 'files/f/folder.csv/below'), { recursive: true });
      await expect(store.put('f/folder.csv', Readable.from(['a']), csv)).rejects.toThrow(/EISDIR|ENOTEMPTY/);
      expect(unfinished().filter((name) => name !== 'fresh')).toEqual([]);
      expect(await store.open('f/folder.csv')).toBeUndefined();
    });

    it('says so when the folder disappears during a write', async () => {
      const vanishing = join(folder, 'vanishing');
      const content = Readable.from(
        (async function* () {
          yield await Promise.resolve(large);
          rmSync(vanishing, { recursive: true });
          writeFileSync(vanishing, '');
          yield large;
        })(),
      );
      await expect(new LocalFileStore(vanishing).put('a/b.csv', content, csv)).rejects.toThrow(
        /^The file could not be stored \(E[A-Z]+: /,
      );
    });

    it('passes an error of the source on unchanged, even one of the operating system', async () => {
      const refused = Object.assign(new Error('connect ECONNREFUSED'), { syscall: 'connect', code: 'ECONNREFUSED' });
      const failing = Readable.from(
        (async function* () {
          yield await Promise.resolve('a');
          throw refused;
        })(),
      );
      await expect(store.put('a/failing.csv', failing, csv)).rejects.toBe(refused);
      const failed = new Readable({ read: () => undefined });
      failed.on('error', () => undefined).destroy(refused);
      await delay(1);
      await expect(store.put('a/failing.csv', failed, csv)).rejects.toBe(refused);
    });
  });

  it('gives an aborted reader an error, and an abandoned stream cannot end the process', async () => {
    await store.put('g/a.csv', large, csv);
    const stopped = new AbortController();
    const { stream } = (await store.open('g/a.csv', undefined, stopped.signal))!;
    stopped.abort();
    await expect(buffer(stream)).rejects.toThrow('aborted');
  });

  it('names STORAGE_DIR when the folder is not writable', async () => {
    writeFileSync(join(folder, 'a-file'), '');
    await expect(new LocalFileStore(join(folder, 'a-file')).check()).rejects.toThrow(/^STORAGE_DIR: expected a folder/);
  });
});

describe('a file store in a bucket', () => {
  let server: S3Server;
  let store: S3FileStore;

  beforeAll(async () => {
    server = await startS3Server();
    store = new S3FileStore(server.settings);
  });

  afterAll(() => server.stop());

  conformance(() => store);

  describe('with a faulty S3 server', () => {
    let answer: RequestListener;
    let faulty: Server;
    let there: S3FileStore;

    beforeAll(async () => {
      faulty = createServer((request, response) => answer(request, response));
      await new Promise<void>((resolve) => faulty.listen(0, '127.0.0.1', resolve));
      const { port } = faulty.address() as AddressInfo;
      there = new S3FileStore({ ...server.settings, endpoint: `http://127.0.0.1:${port}` });
    });

    afterAll(() => {
      faulty.closeAllConnections();
      faulty.close();
    });

    it('rejects reads and writes with a reason when the server is unreachable', async () => {
      const gone = new S3FileStore({ ...server.settings, endpoint: 'http://127.0.0.1:1' });
      const content = Readable.from(['a']);
      await expect(gone.put('a/b.csv', content, csv)).rejects.toThrow(
        /^The file could not be stored \(.*ECONNREFUSED.*\)\. Look at S3_BUCKET\.$/,
      );
      expect(content.destroyed).toBe(true);
      await expect(gone.open('a/b.csv')).rejects.toThrow(/^The file could not be read \(.*ECONNREFUSED/);
    });

    it('waits for a server that does not answer until the attempt is aborted', async () => {
      answer = () => undefined;
      const reason = new Error('timed out');
      const stopped = new AbortController();
      const both = [
        there.put('a/b.csv', Readable.from([large]), { ...csv, signal: stopped.signal }),
        there.open('a/b.csv', undefined, stopped.signal),
      ].map((promise) => promise.catch((error: unknown) => error));
      setTimeout(() => stopped.abort(reason), 50);
      expect(await Promise.all(both)).toEqual([reason, reason]);
    });

    it('gives the reader an error when the server cuts a file off, even a reader that starts later', async () => {
      answer = (_, response) => {
        response.writeHead(200, { 'content-length': '1000' }).write('half');
        setTimeout(() => response.destroy(), 20);
      };
      const { stream } = (await there.open('a/b.csv'))!;
      await delay(100);
      await expect(buffer(stream)).rejects.toThrow();
    });

    it('gives an aborted reader an error when the server stalls in the middle of a file', async () => {
      answer = (_, response) => void response.writeHead(200, { 'content-length': '1000' }).write('half');
      const stopped = new AbortController();
      const { stream } = (await there.open('a/b.csv', undefined, stopped.signal))!;
      setTimeout(() => stopped.abort(), 20);
      await expect(buffer(stream)).rejects.toThrow();
    });
  });

  it('names S3_BUCKET when the bucket cannot be used', async () => {
    const other = new S3FileStore({ ...server.settings, bucket: 'nobodys' });
    await expect(other.check()).rejects.toThrow(/^S3_BUCKET: expected a bucket/);
  });
});

describe('fileStoreOf', () => {
  const none = {
    DATA_DIR: undefined,
    STORAGE_DIR: undefined,
    S3_ENDPOINT: undefined,
    S3_REGION: 'us-east-1',
    S3_BUCKET: undefined,
    S3_ACCESS_KEY_ID: undefined,
    S3_SECRET_ACCESS_KEY: undefined,
  };

  it('returns a bucket when S3_BUCKET is set, and a folder otherwise', () => {
    expect(fileStoreOf(none)).toBeInstanceOf(LocalFileStore);
    const keys = { S3_ACCESS_KEY_ID: 'id', S3_SECRET_ACCESS_KEY: 'secret' };
    expect(fileStoreOf({ ...none, S3_BUCKET: 'files', ...keys })).toBeInstanceOf(S3FileStore);
  });
});
