import { Pool } from 'pg';
import type { BrokerSettings } from '@app/messaging';
import type { Backend } from '../support/system';
import { connectPlainClient } from './plain-clients/connect-plain-client';
import type { PlainClient } from './plain-clients/plain-client';

const settings = JSON.parse(process.env['BROKER_SETTINGS']!) as BrokerSettings;

/** The queue and the rows of one cell of the table. */
export const cell = process.env['CELL']!;

export const pool = new Pool({ connectionString: settings.DATABASE_URL, max: 2 });

/** Runs a plain process: it reports that it is ready, and SIGTERM ends it at once. */
export function runPlain(start: (client: PlainClient) => Promise<void>): void {
  process.on('SIGTERM', () => process.exit(0));
  void connectPlainClient(process.env['BACKEND'] as Backend, settings)
    .then(start)
    .then(() => process.send!('ready'));
}
