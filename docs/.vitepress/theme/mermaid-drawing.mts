import { useData } from 'vitepress';
import { defineComponent, h, onMounted, ref, watch } from 'vue';
import { wrapLabels } from './wrap-labels.mts';

let drawings = 0;

/** A drawing that would become smaller than this scrolls instead: its words stay legible. */
const leastScale = 0.5;

/**
 * Draws in the browser, in the colours of the page. Until then, and without scripts, it shows the text of the drawing.
 * A button shows the drawing in its own size, over the page.
 */
export const MermaidDrawing = defineComponent({
  props: { text: { type: String, required: true } },
  setup(props) {
    const { isDark, lang } = useData();
    const svg = ref('');
    const leastWidth = ref('');
    const isLarge = ref(false);
    const text = decodeURIComponent(props.text);
    const draw = async () => {
      const { default: mermaid } = await import('mermaid');
      // The dark theme of mermaid writes grey on grey at the edges and in notes.
      const dark = { edgeLabelBackground: '#1b1b1f', noteBkgColor: '#32363f', noteTextColor: '#f5f5f7' };
      mermaid.initialize({
        startOnLoad: false,
        securityLevel: 'strict',
        fontFamily: getComputedStyle(document.body).fontFamily,
        sequence: {
          width: 110,
          wrapPadding: 2,
          actorMargin: 16,
          diagramMarginX: 10,
          messageFontSize: 14,
          noteFontSize: 13,
        },
        ...(isDark.value ? { theme: 'dark', themeVariables: dark } : { theme: 'default' }),
      });
      svg.value = (await mermaid.render(`drawing-${(drawings += 1)}`, wrapLabels(text))).svg;
      const [, width] = /viewBox="\S+ \S+ (\S+)/.exec(svg.value)!;
      leastWidth.value = `${leastScale * Number(width)}px`;
    };
    const title = () => (lang.value === 'zh-CN' ? ['放大', '缩小'] : ['Enlarge', 'Reduce'])[isLarge.value ? 1 : 0];
    onMounted(draw);
    watch(isDark, draw);
    return () =>
      svg.value
        ? h('div', { class: ['drawing', { 'drawing-large': isLarge.value }] }, [
            h('div', { class: 'drawing-frame', style: { '--least-width': leastWidth.value }, innerHTML: svg.value }),
            h(
              'button',
              { type: 'button', class: 'drawing-size', onClick: () => (isLarge.value = !isLarge.value) },
              title(),
            ),
          ])
        : h('pre', { class: 'drawing-text' }, text);
  },
});
