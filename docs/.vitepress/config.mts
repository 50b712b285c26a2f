import { join } from 'node:path';
import { defineConfig } from 'vitepress';
import { addressOf, copySources, linkInSite, repository } from './links.mts';
import { writeScriptHashes } from './script-hashes.mts';
import { sidebarOf } from './sidebar.mts';

const chineseSearch = {
  button: { buttonText: '搜索', buttonAriaLabel: '搜索' },
  modal: {
    displayDetails: '显示详情',
    resetButtonTitle: '清除',
    backButtonTitle: '返回',
    noResultsText: '没有结果：',
    footer: { selectText: '选择', navigateText: '切换', closeText: '关闭' },
  },
};

/** A space to the search, and hardly one to the eye. */
const hairSpace = '\u200a';

/** Pages are read where they stand in the repository; README.md is the first page of the site. */
export default defineConfig({
  srcDir: '..',
  srcExclude: [
    ...['apps', 'dist', 'findings', 'libs', 'prisma', 'scripts', 'test'].map((name) => `${name}/**`),
    '**/node_modules/**',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
  ],
  rewrites: (page: string) => `${addressOf(page).replace(/\/$/, '/index').slice(1)}.md`,
  outDir: join(repository, 'dist/learn'),
  cacheDir: join(repository, 'docs/node_modules/.cache'),
  base: '/learn/',
  vite: {
    // The pages stand outside of the folder with the packages.
    resolve: { alias: [{ find: /^vue(?=$|\/)/, replacement: join(repository, 'docs/node_modules/vue') }] },
    // The browser alone draws.
    ssr: { external: ['mermaid'] },
    // Mermaid is large. Only pages with drawings load it.
    build: { chunkSizeWarningLimit: 2_500 },
  },
  cleanUrls: false,
  ignoreDeadLinks: 'localhostLinks',
  title: 'node-message-queue',
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  locales: {
    root: {
      label: 'English',
      lang: 'en',
      themeConfig: { sidebar: sidebarOf('en') },
    },
    'zh-CN': {
      label: '简体中文',
      lang: 'zh-CN',
      themeConfig: {
        sidebar: sidebarOf('zh'),
        outline: { label: '本页目录' },
        docFooter: { prev: '上一页', next: '下一页' },
        darkModeSwitchLabel: '深色模式',
        sidebarMenuLabel: '目录',
        returnToTopLabel: '回到顶部',
      },
    },
  },
  themeConfig: {
    outline: { level: [2, 3] },
    search: {
      provider: 'local',
      options: {
        locales: { 'zh-CN': { translations: chineseSearch } },
        // Chinese has no spaces between words. Each character is a term of its own: see theme/index.mts for the query.
        _render(text, env, md) {
          const html = md.render(text, env);
          return html.replace(/>[^<]+/g, (words) =>
            words.replace(/(?<=\p{Script=Han})(?=\p{Script=Han})/gu, hairSpace),
          );
        },
        miniSearch: { options: {}, searchOptions: { combineWith: 'AND' } },
      },
    },
  },
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config(md) {
      const { fence } = md.renderer.rules;
      md.renderer.rules.fence = (...args) => {
        const [tokens, index] = args;
        const { info, content } = tokens[index]!;
        // One line of JSON is longer than a page is wide; the lines of a console wrap.
        if (info === 'text' && /^\{"/m.test(content)) tokens[index]!.info = 'console';
        return info === 'mermaid' ? `<MermaidDrawing text="${encodeURIComponent(content)}" />` : fence!(...args);
      };
      md.core.ruler.push('tasks', ({ tokens }) => {
        for (const [first] of tokens.flatMap(({ children }) => (children ? [children] : []))) {
          if (first?.content.startsWith('[ ] ')) first.content = first.content.replace('[ ]', '☐');
        }
      });
      md.core.ruler.push('links_of_the_repository', ({ env, tokens }) => {
        // Without a path of the repository the page is read for the search, which needs no links.
        const { realPath } = env as { realPath?: string };
        if (realPath === undefined) return;
        const page = realPath.slice(repository.length + 1);
        for (const token of tokens.flatMap(({ children }) => children ?? [])) {
          if (token.type === 'link_open') token.attrSet('href', linkInSite(page, token.attrGet('href')!));
        }
      });
    },
  },
  transformPageData: ({ relativePath, frontmatter }) => {
    // Pages that the sidebar does not name: the page before and the page behind would be any.
    if (!/(^|\/)(decisions\/\d|examples\/)/.test(relativePath)) return;
    Object.assign(frontmatter, { prev: false, next: false });
  },
  buildEnd: ({ outDir }) => {
    copySources(outDir);
    writeScriptHashes(outDir);
  },
});
