import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noticeOf } from './notice';

const projectFolder = join(__dirname, '../../..');

writeFileSync(join(projectFolder, 'NOTICE'), noticeOf(projectFolder));
