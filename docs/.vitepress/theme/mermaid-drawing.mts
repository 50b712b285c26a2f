import { useData } from 'vitepress';
import { defineComponent, h, onMounted, ref, watch } from 'vue';

let drawings = 0;

/** A drawing that would become smaller than this scrolls instead: its words stay legible. */
const leastScale = 0.6;

/** Draws in the browser, in the colours of the page. Until then, and without scripts, it shows the text of the drawing. */
export const MermaidDrawing = defineComponent({
  props: { text: { type: String, required: true } },
  setup(props) {
    const { isDark } = useData();
    const svg = ref('');
    const leastWidth = ref('');
    const text = decodeURIComponent(props.text);
    const draw = async () => {
      const { default: mermaid } = await import('mermaid');
      // The dark theme of mermaid writes grey on grey at the edges.
      const colours = isDark.value
        ? ({ theme: 'dark', themeVariables: { edgeLabelBackground: '#1b1b1f' } } as const)
        : ({ theme: 'default' } as const);
      mermaid.initialize({
        startOnLoad: false,
        securityLevel: 'strict',
        fontFamily: getComputedStyle(document.body).fontFamily,
        // The column of text holds seven participants.
        sequence: {
          wrap: true,
          wrapPadding: 2,
          width: 120,
          actorMargin: 12,
          diagramMarginX: 10,
          messageFontSize: 14,
          noteFontSize: 13,
        },
        ...colours,
      });
      svg.value = (await mermaid.render(`drawing-${(drawings += 1)}`, text)).svg;
      const [, width] = /viewBox="\S+ \S+ (\S+)/.exec(svg.value)!;
      leastWidth.value = `${leastScale * Number(width)}px`;
    };
    onMounted(draw);
    watch(isDark, draw);
    return () =>
      svg.value
        ? h('div', { class: 'drawing', style: { '--least-width': leastWidth.value }, innerHTML: svg.value })
        : h('pre', text);
  },
});
