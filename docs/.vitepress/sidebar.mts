import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf, repository } from './links.mts';

const groups = [
  {
    title: { en: 'Start', zh: '开始' },
    pages: ['../README', 'your-first-job', 'make-it-yours', 'glossary'],
  },
  {
    title: { en: 'The course', zh: '课程' },
    pages: [
      '01-why-message-queue',
      '02-queue-comparison',
      '03-bullmq-complete-guide',
      '03-bullmq-advanced',
      '04-rabbitmq-overview',
      '05-reliability-and-idempotency',
      '06-interview-questions',
      '06-interview-questions-2',
      '06-interview-questions-3',
      '06-system-design-drills',
      '07-kafka-overview',
      '08-bff-use-cases',
      '09-monitoring-and-operations',
      'diagrams',
      'traps',
      'more-traps',
      'what-other-texts-say',
    ],
  },
  {
    title: { en: 'How it works', zh: '工作原理' },
    pages: [
      'life-of-a-job',
      'guarantees',
      'crash-points',
      'events',
      'order-keys',
      'flows',
      'schedules',
      'foreign-events',
      'cancel-and-redrive',
      'messages',
      'live-progress',
      'benchmarks',
    ],
  },
  {
    title: { en: 'Use cases', zh: '业务场景' },
    pages: ['reports-and-files', 'images', 'sync-and-search', 'webhooks', 'web-client', 'access'],
  },
  {
    title: { en: 'Operate and extend', zh: '运维与扩展' },
    pages: ['brokers', 'compose', 'operations', 'metrics', 'runbooks', 'new-broker', 'decisions/README'],
  },
];

/** In Chinese, a page without a Chinese version is the English one. */
export function sidebarOf(language: 'en' | 'zh') {
  return groups.map(({ title, pages }) => ({
    text: title[language],
    items: pages.map((page) => {
      const chinese = page === '../README' ? 'README.zh-CN.md' : `docs/zh-CN/${page}.md`;
      const path = language === 'zh' && existsSync(join(repository, chinese)) ? chinese : join('docs', `${page}.md`);
      const note = language === 'zh' && path !== chinese ? '（英文）' : '';
      return { text: titleOf(path) + note, link: addressOf(path) };
    }),
  }));
}

/** The first heading; of a chapter, after its number. */
function titleOf(path: string): string {
  const [, title] = /^# (.+)$/m.exec(readFileSync(join(repository, path), 'utf8'))!;
  const [, chapter] = /\/(\d\d)-/.exec(path) ?? [];
  return `${chapter === undefined ? '' : `${chapter} `}${title!.replaceAll('`', '')}`;
}
