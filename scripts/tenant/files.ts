import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Pool } from 'pg';
import { readSettings } from '@app/configuration';
import { uploadsOfTenant } from '@app/features/image';
import type { TenantFiles } from '@app/ledger';
import { checkStorageFolder, filesOfTenant, fileStoreOf, storageSettingNames, type FileStore } from '@app/storage';
import type { OutsideData } from './outside-data';

/** The tables that name files. */
const sources: readonly TenantFiles[] = [filesOfTenant, uploadsOfTenant];

/** @throws UnusableFolder */
async function openStore(): Promise<FileStore> {
  const settings = readSettings(storageSettingNames);
  await checkStorageFolder(settings);
  return fileStoreOf(settings);
}

async function* keysOf(pool: Pool, tenant: string): AsyncGenerator<string> {
  for (const source of sources) {
    for (let page = await source(pool, tenant, ''); page.length > 0; page = await source(pool, tenant, page.at(-1)!)) {
      yield* page;
    }
  }
}

/** The files in the file store, each under its key. */
export const files: OutsideData = {
  what: 'files',

  async save(pool, tenant, folder) {
    const from = await openStore();
    let count = 0;
    for await (const key of keysOf(pool, tenant)) {
      const file = await from.open(key);
      // Its retention was faster.
      if (!file) continue;
      const path = join(folder, key);
      await mkdir(dirname(path), { recursive: true });
      await pipeline(file.stream, createWriteStream(path));
      count += 1;
    }
    return count;
  },

  async remove(pool, tenant) {
    const from = await openStore();
    let count = 0;
    for await (const key of keysOf(pool, tenant)) {
      await from.remove(key);
      count += 1;
    }
    return count;
  },
};
