import type { Theme } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import './style.css';
import { MermaidDrawing } from './mermaid-drawing.mts';

export default {
  extends: DefaultTheme,
  enhanceApp({ app, siteData }) {
    app.component('MermaidDrawing', MermaidDrawing);
    // Set here, because VitePress would send a function of its configuration as text, and evaluate it in the browser:
    // the Content-Security-Policy of the site does not allow that.
    siteData.value.themeConfig.search.options.miniSearch.options.tokenize = (text: string) =>
      text.match(/\p{Script=Han}|[^\s\p{P}\p{Script=Han}]+/gu) ?? [];
  },
} satisfies Theme;
