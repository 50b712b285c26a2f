import { uploadRetention } from '@app/features/image';
import { deliveryRetention } from '@app/features/webhook';
import { ledgerRetention, type RetentionWalk } from '@app/ledger';
import { mailboxRetention } from '@app/mailbox';
import type { RelayOptions } from '@app/messaging/relay';
import { fileRetention, fileStoreOf } from '@app/storage';
import type { RelaySettings } from './config';

type WalkOf = (settings: RelaySettings) => RetentionWalk;

const files: WalkOf = (settings) => fileRetention(fileStoreOf(settings));
const uploads: WalkOf = (settings) => uploadRetention(fileStoreOf(settings));
const deliveries: WalkOf = () => deliveryRetention;
const mailbox: WalkOf = () => mailboxRetention;

/** What the parts keep beside the ledger. */
const ofParts: Readonly<Record<string, WalkOf>> = { files, uploads, deliveries, mailbox };

/** Everything that is deleted by its age. The ledger is first: what the parts keep goes with its job. */
export const retentionOf = (settings: RelaySettings): RelayOptions['retention'] => ({
  walks: {
    ...ledgerRetention,
    ...Object.fromEntries(Object.entries(ofParts).map(([what, walkOf]) => [what, walkOf(settings)])),
  },
  ages: {
    endedMs: settings.RETENTION_ENDED_DAYS,
    failedMs: settings.RETENTION_FAILED_DAYS,
    dedupeMs: settings.RETENTION_DEDUPE_DAYS,
    auditMs: settings.RETENTION_AUDIT_DAYS,
  },
});
